#include "textflag.h"

// The kernels of kernel.go for AVX. Arguments are as there, slices as pointer and length. A bins is two registers:
// cosines, then sines.

// func projectAVX(dst *bins, energy *float32, table *[maxTick]bins, phase *bins, x *float32, n int)
TEXT ·projectAVX(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), DI
	MOVQ energy+8(FP), DX
	MOVQ table+16(FP), SI
	MOVQ phase+24(FP), BX
	MOVQ x+32(FP), R8
	MOVQ n+40(FP), CX
	VXORPS Y0, Y0, Y0 // cosines
	VXORPS Y1, Y1, Y1 // sines
	VXORPS Y2, Y2, Y2 // energy

sample:
	VBROADCASTSS (R8), Y3
	VMULPS (SI), Y3, Y4
	VMULPS 32(SI), Y3, Y5
	VMULPS Y3, Y3, Y6
	VADDPS Y4, Y0, Y0
	VADDPS Y5, Y1, Y1
	VADDPS Y6, Y2, Y2
	ADDQ $4, R8
	ADDQ $64, SI
	DECQ CX
	JNZ sample

	VMOVSS X2, (DX)
	VMOVUPS (BX), Y3
	VMOVUPS 32(BX), Y4
	VMULPS Y3, Y0, Y5
	VMULPS Y4, Y1, Y6
	VSUBPS Y6, Y5, Y5
	VMOVUPS Y5, (DI)
	VMULPS Y3, Y1, Y5
	VMULPS Y4, Y0, Y6
	VADDPS Y6, Y5, Y5
	VMOVUPS Y5, 32(DI)
	VZEROUPPER
	RET

// func slideAVX(sums *bins, tops *top, now *bins, history *[depth]bins, gone *int, n int)
TEXT ·slideAVX(SB), NOSPLIT, $0-48
	MOVQ sums+0(FP), DI
	MOVQ tops+8(FP), DX
	MOVQ now+16(FP), BX
	MOVQ history+24(FP), SI
	MOVQ gone+32(FP), R8
	MOVQ n+40(FP), CX
	VMOVUPS (BX), Y0
	VMOVUPS 32(BX), Y1

window:
	MOVQ (R8), R9
	SHLQ $6, R9
	VSUBPS (SI)(R9*1), Y0, Y2
	VSUBPS 32(SI)(R9*1), Y1, Y3
	VADDPS (DI), Y2, Y2
	VADDPS 32(DI), Y3, Y3
	VMOVUPS Y2, (DI)
	VMOVUPS Y3, 32(DI)
	VMULPS Y2, Y2, Y2
	VMULPS Y3, Y3, Y3
	VADDPS Y3, Y2, Y2
	VPERMILPS $0x4e, Y2, Y3 // the strongest of each four
	VMAXPS Y3, Y2, Y2
	VPERMILPS $0xb1, Y2, Y3
	VMAXPS Y3, Y2, Y2
	VEXTRACTF128 $1, Y2, X3
	VMOVSS X2, (DX)
	VMOVSS X3, 4(DX)
	ADDQ $8, R8
	ADDQ $64, DI
	ADDQ $8, DX
	DECQ CX
	JNZ window

	VZEROUPPER
	RET

DATA least<>+0(SB)/4, $1e-9 // leastState
GLOBL least<>(SB), RODATA|NOPTR, $4

DATA magnitude<>+0(SB)/4, $0x7fffffff
GLOBL magnitude<>(SB), RODATA|NOPTR, $4

// ADDCOLUMN adds the matrix's next column, times the value at p, to three accumulators.
#define ADDCOLUMN(p, a, b, c) \
	VBROADCASTSS (p), Y3 \
	VMULPS (SI), Y3, Y4 \
	VMULPS 32(SI), Y3, Y5 \
	VMULPS 64(SI), Y3, Y6 \
	VADDPS Y4, a, a \
	VADDPS Y5, b, b \
	VADDPS Y6, c, c \
	ADDQ $4, p \
	ADDQ $96, SI

// SETTLE makes states zero that are next to nothing.
#define SETTLE(y) \
	VANDPS Y7, y, Y3 \
	VCMPPS $1, Y8, Y3, Y3 \
	VANDNPS y, Y3, y

// func filterAVX(band, high *float32, s *filterState, m *filterMatrix, x *float32, n int)
TEXT ·filterAVX(SB), NOSPLIT, $0-48
	MOVQ band+0(FP), DI
	MOVQ high+8(FP), DX
	MOVQ s+16(FP), BX
	MOVQ x+32(FP), R8
	MOVQ n+40(FP), CX

quad:
	MOVQ m+24(FP), SI
	MOVQ BX, R9
	VXORPS Y0, Y0, Y0 // four samples of band, four of high
	VXORPS Y1, Y1, Y1 // states 0 to 7
	VXORPS Y2, Y2, Y2 // and the rest
	VXORPS Y7, Y7, Y7 // the same from states 0 to 4, in a chain of their own
	VXORPS Y8, Y8, Y8
	VXORPS Y9, Y9, Y9
	VXORPS Y10, Y10, Y10 // and from states 5 to 9
	VXORPS Y11, Y11, Y11
	VXORPS Y12, Y12, Y12
	ADDCOLUMN(R8, Y0, Y1, Y2)
	ADDCOLUMN(R8, Y0, Y1, Y2)
	ADDCOLUMN(R8, Y0, Y1, Y2)
	ADDCOLUMN(R8, Y0, Y1, Y2)
	ADDCOLUMN(R9, Y7, Y8, Y9)
	ADDCOLUMN(R9, Y7, Y8, Y9)
	ADDCOLUMN(R9, Y7, Y8, Y9)
	ADDCOLUMN(R9, Y7, Y8, Y9)
	ADDCOLUMN(R9, Y7, Y8, Y9)
	ADDCOLUMN(R9, Y10, Y11, Y12)
	ADDCOLUMN(R9, Y10, Y11, Y12)
	ADDCOLUMN(R9, Y10, Y11, Y12)
	ADDCOLUMN(R9, Y10, Y11, Y12)
	ADDCOLUMN(R9, Y10, Y11, Y12)
	VADDPS Y7, Y0, Y0
	VADDPS Y8, Y1, Y1
	VADDPS Y9, Y2, Y2
	VADDPS Y10, Y0, Y0
	VADDPS Y11, Y1, Y1
	VADDPS Y12, Y2, Y2
	VMOVUPS X0, (DI)
	VEXTRACTF128 $1, Y0, (DX)
	VMOVUPS Y1, (BX)
	VMOVUPS Y2, 32(BX)
	ADDQ $16, DI
	ADDQ $16, DX
	SUBQ $4, CX
	JNZ quad

	VBROADCASTSS magnitude<>(SB), Y7
	VBROADCASTSS least<>(SB), Y8
	SETTLE(Y1)
	SETTLE(Y2)
	VMOVUPS Y1, (BX)
	VMOVUPS Y2, 32(BX)
	VZEROUPPER
	RET
