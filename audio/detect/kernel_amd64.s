#include "textflag.h"
#include "go_asm.h"

#define SIGNAL (4*(const_lead+const_maxTick)) // bytes of a signal

// The kernels of kernel.go for AVX. Arguments are as there, slices as pointer and length; n is a multiple of 4. A bins is
// two registers: cosines, then sines.

// func readAVX(s *signal, x *int16, n, lag int) float32
TEXT ·readAVX(SB), NOSPLIT, $0-36
	MOVQ s+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ n+16(FP), CX
	MOVQ lag+24(FP), AX
	VMOVUPS (DI)(CX*4), Y0
	VMOVUPS Y0, (DI)
	NEGQ AX
	LEAQ 32(DI), DI
	LEAQ (DI)(AX*4), R8
	VXORPS X2, X2, X2

quad:
	VPMOVSXWD (SI), X0
	VCVTDQ2PS X0, X0
	VMOVUPS X0, (DI)
	VSUBPS (R8), X0, X0
	VMULPS X0, X0, X0
	VADDPS X0, X2, X2
	ADDQ $8, SI
	ADDQ $16, DI
	ADDQ $16, R8
	SUBQ $4, CX
	JNZ quad

	VPERMILPS $0x4e, X2, X0
	VADDPS X0, X2, X2
	VPERMILPS $0xb1, X2, X0
	VADDPS X0, X2, X2
	VMOVSS X2, ret+32(FP)
	VZEROUPPER
	RET

// TURN turns four angles, whose cosines and sines stand 64 bytes apart, and keeps them as float32 too, 32 bytes apart.
#define TURN(at, half) \
	VMOVUPD clock_fine+at(DI), Y0 \
	VMOVUPD clock_fine+64+at(DI), Y1 \
	VMOVUPD at(SI), Y2 \
	VMOVUPD 64+at(SI), Y3 \
	VMULPD Y2, Y0, Y4 \
	VMULPD Y3, Y1, Y5 \
	VSUBPD Y5, Y4, Y4 \
	VMULPD Y2, Y1, Y5 \
	VMULPD Y3, Y0, Y6 \
	VADDPD Y6, Y5, Y5 \
	VMOVUPD Y4, clock_fine+at(DI) \
	VMOVUPD Y5, clock_fine+64+at(DI) \
	VCVTPD2PSY Y4, X4 \
	VCVTPD2PSY Y5, X5 \
	VMOVUPS X4, clock_phase+half(DI) \
	VMOVUPS X5, clock_phase+32+half(DI)

// func turnAVX(c *clock, by *angles)
TEXT ·turnAVX(SB), NOSPLIT, $0-16
	MOVQ c+0(FP), DI
	MOVQ by+8(FP), SI
	TURN(0, 0)
	TURN(32, 16)
	VZEROUPPER
	RET

// SAMPLE projects one sample, i after x, on its row of the table.
#define SAMPLE(i) \
	VBROADCASTSS 4*i(R8), Y3 \
	VMULPS 64*i(SI), Y3, Y4 \
	VMULPS 64*i+32(SI), Y3, Y5 \
	VMULPS Y3, Y3, Y6 \
	VADDPS Y4, Y0, Y0 \
	VADDPS Y5, Y1, Y1 \
	VADDPS Y6, Y2, Y2

// func pushAVX(l *lanes, table *[maxTick]bins, phase *bins, x *[laneCount]signal, n, pos int)
TEXT ·pushAVX(SB), NOSPLIT, $0-48
	MOVQ l+0(FP), DI
	MOVQ phase+16(FP), BX
	MOVQ x+24(FP), R10
	MOVQ pos+40(FP), DX
	MOVQ $const_laneCount, R11

lane:
	MOVQ table+8(FP), SI
	MOVQ n+32(FP), CX
	LEAQ (4*const_lead)(R10), R8
	VXORPS Y0, Y0, Y0 // cosines
	VXORPS Y1, Y1, Y1 // sines
	VXORPS Y2, Y2, Y2 // energy

samples:
	SAMPLE(0)
	SAMPLE(1)
	SAMPLE(2)
	SAMPLE(3)
	ADDQ $16, R8
	ADDQ $256, SI
	SUBQ $4, CX
	JNZ samples

	VMOVUPS (BX), Y3
	VMOVUPS 32(BX), Y4
	VMULPS Y3, Y0, Y5
	VMULPS Y4, Y1, Y6
	VSUBPS Y6, Y5, Y5
	VMULPS Y3, Y1, Y1
	VMULPS Y4, Y0, Y6
	VADDPS Y6, Y1, Y1
	MOVQ DX, AX
	ANDQ $(const_depth-1), AX
	VMOVSS X2, lane_energy(DI)(AX*4)
	SHLQ $6, AX
	VMOVUPS Y5, lane_history(DI)(AX*1)
	VMOVUPS Y1, lane_history+32(DI)(AX*1)

	MOVQ lane_windows(DI), CX
	LEAQ lane_sums(DI), SI
	XORL R9, R9

window:
	MOVQ DX, AX
	SUBQ lane_ticks(DI)(R9*8), AX
	ANDQ $(const_depth-1), AX
	VSUBSS lane_energy(DI)(AX*4), X2, X3
	VADDSS lane_power(DI)(R9*4), X3, X3
	VMOVSS X3, lane_power(DI)(R9*4)
	SHLQ $6, AX
	VSUBPS lane_history(DI)(AX*1), Y5, Y3
	VSUBPS lane_history+32(DI)(AX*1), Y1, Y4
	VADDPS (SI), Y3, Y3
	VADDPS 32(SI), Y4, Y4
	VMOVUPS Y3, (SI)
	VMOVUPS Y4, 32(SI)
	VMULPS Y3, Y3, Y3
	VMULPS Y4, Y4, Y4
	VADDPS Y4, Y3, Y3
	VPERMILPS $0x4e, Y3, Y4 // the strongest of each four
	VMAXPS Y4, Y3, Y3
	VPERMILPS $0xb1, Y3, Y4
	VMAXPS Y4, Y3, Y3
	VEXTRACTF128 $1, Y3, X4
	VMOVSS X3, lane_tops(DI)(R9*8)
	VMOVSS X4, lane_tops+4(DI)(R9*8)
	ADDQ $64, SI
	INCQ R9
	CMPQ R9, CX
	JNE window

	ADDQ $lane__size, DI
	ADDQ $SIGNAL, R10
	DECQ R11
	JNZ lane
	VZEROUPPER
	RET

DATA least<>+0(SB)/4, $1e-9 // leastState
GLOBL least<>(SB), RODATA|NOPTR, $4

DATA magnitude<>+0(SB)/4, $0x7fffffff
GLOBL magnitude<>(SB), RODATA|NOPTR, $4

// COLUMN adds column i of the matrix, times the value at p, to two accumulators.
#define COLUMN(p, i, a, b) \
	VBROADCASTSS p, Y3 \
	VMULPS 64*i(SI), Y3, Y4 \
	VMULPS 64*i+32(SI), Y3, Y5 \
	VADDPS Y4, a, a \
	VADDPS Y5, b, b

// func filterAVX(x *[laneCount]signal, s *filterState, m *filterMatrix, n int)
TEXT ·filterAVX(SB), NOSPLIT, $0-32
	MOVQ x+0(FP), R8
	MOVQ s+8(FP), BX
	MOVQ m+16(FP), SI
	MOVQ n+24(FP), CX
	ADDQ $(4*const_lead), R8

block:
	VXORPS Y0, Y0, Y0 // a block of band, one of high
	VXORPS Y1, Y1, Y1 // the states
	VXORPS Y6, Y6, Y6 // the same from the first half of the states, in a chain of their own
	VXORPS Y7, Y7, Y7
	VXORPS Y8, Y8, Y8 // and from the second
	VXORPS Y9, Y9, Y9
	COLUMN(0(R8), 0, Y0, Y1)
	COLUMN(4(R8), 1, Y0, Y1)
	COLUMN(8(R8), 2, Y0, Y1)
	COLUMN(12(R8), 3, Y0, Y1)
	COLUMN(0(BX), 4, Y6, Y7)
	COLUMN(4(BX), 5, Y6, Y7)
	COLUMN(8(BX), 6, Y6, Y7)
	COLUMN(12(BX), 7, Y6, Y7)
	COLUMN(16(BX), 8, Y8, Y9)
	COLUMN(20(BX), 9, Y8, Y9)
	COLUMN(24(BX), 10, Y8, Y9)
	COLUMN(28(BX), 11, Y8, Y9)
	VADDPS Y6, Y0, Y0
	VADDPS Y7, Y1, Y1
	VADDPS Y8, Y0, Y0
	VADDPS Y9, Y1, Y1
	VMOVUPS X0, SIGNAL(R8)
	VEXTRACTF128 $1, Y0, 2*SIGNAL(R8)
	VMOVUPS Y1, (BX)
	ADDQ $16, R8
	SUBQ $4, CX
	JNZ block

	VBROADCASTSS magnitude<>(SB), Y3 // states that are next to nothing are nothing
	VBROADCASTSS least<>(SB), Y4
	VANDPS Y3, Y1, Y3
	VCMPPS $1, Y4, Y3, Y3
	VANDNPS Y1, Y3, Y1
	VMOVUPS Y1, (BX)
	VZEROUPPER
	RET
