#include "textflag.h"
#include "go_asm.h"

// The kernels of kernel.go for AVX2 and FMA. Arguments are as there. A bins or a total is two registers: cosines, then sines.

DATA least<>+0(SB)/4, $1e-9 // leastState
GLOBL least<>(SB), RODATA|NOPTR, $4

DATA magnitude<>+0(SB)/4, $0x7fffffff
GLOBL magnitude<>(SB), RODATA|NOPTR, $4

DATA unit<>+0(SB)/4, $0.03125 // 1/perSample
GLOBL unit<>(SB), RODATA|NOPTR, $4

// SPREAD fills each half of Y15 with the k-th value of that half of a register.
#define SPREAD(k, values) VPERMILPS $(0x55*k), values, Y15

// FIRST is row i of a table, times what was spread, in two registers.
#define FIRST(table, i, a, b) \
	VMULPS 64*i(table), Y15, a \
	VMULPS 64*i+32(table), Y15, b

// ROW adds it to two registers.
#define ROW(table, i, a, b) \
	VFMADD231PS 64*i(table), Y15, a \
	VFMADD231PS 64*i+32(table), Y15, b

// SAMPLE takes the k-th sample into the filters and into plain.
#define SAMPLE(k, first) \
	SPREAD(k, Y9) \
	first(BX, k, Y6, Y7) \
	ROW(R11, k, Y0, Y1)

// STATE takes the states that the k-th column for them multiplies: see crossed.
#define STATE(k, first, a, b) \
	SPREAD((k&3), Y14) \
	first(BX, (const_block+k), a, b)

// FILTERED takes the k-th sample of band and of high.
#define FILTERED(k) \
	SPREAD(k, Y6) \
	ROW(DX, (2*k), Y2, Y3) \
	ROW(DX, (2*k+1), Y4, Y5)

// TOTAL turns what was found in a lane, and adds it to its total, which it leaves there.
#define TOTAL(lane, c, s) \
	VMULPS Y11, s, Y6 \
	VFMSUB231PS Y10, c, Y6 \
	VMULPS Y10, s, s \
	VFMADD231PS Y11, c, s \
	VCVTTPS2DQ Y6, c \
	VCVTTPS2DQ s, s \
	VPADDD moment_total+64*lane(R9), c, c \
	VPADDD moment_total+64*lane+32(R9), s, s \
	VMOVDQU c, moment_total+64*lane(R8) \
	VMOVDQU s, moment_total+64*lane+32(R8)

// ENERGY adds that of a lane to its total.
#define ENERGY(lane, x) \
	VCVTTSS2SIQ x, AX \
	ADDQ moment_energy+8*lane(R9), AX \
	MOVQ AX, moment_energy+8*lane(R8)

// SUM makes a sum at DI from a total and that at R9; unit is in Y15. Of each four powers it spreads the greatest.
#define SUM(c, s, total, sum) \
	VPSUBD total(R9), c, Y6 \
	VPSUBD total+32(R9), s, Y7 \
	VCVTDQ2PS Y6, Y6 \
	VCVTDQ2PS Y7, Y7 \
	VMULPS Y15, Y6, Y6 \
	VMULPS Y15, Y7, Y7 \
	VMOVUPS Y6, sum(DI) \
	VMOVUPS Y7, sum+32(DI) \
	VMULPS Y7, Y7, Y7 \
	VFMADD213PS Y7, Y6, Y6 \
	VPERMILPS $0x4e, Y6, Y7 \
	VMAXPS Y7, Y6, Y7 \
	VPERMILPS $0xb1, Y7, Y8 \
	VMAXPS Y8, Y7, Y7 \
	VCMPPS $0, Y6, Y7, Y6 \
	VMOVMSKPS Y6, AX \
	VEXTRACTF128 $1, Y7, X8 \
	VMOVSS X7, sum+sum_row(DI) \
	VMOVSS X8, sum+sum_col(DI) \
	MOVL AX, sum+sum_strongest(DI)

// BACK points R9 at the moment so many ticks before the one that R10 counts.
#define BACK(ticks) \
	LEAQ -ticks(R10), R9 \
	ANDQ $(const_depth-1), R9 \
	IMUL3Q $moment__size, R9, R9 \
	LEAQ ear_history(DI)(R9*1), R9

// WINDOW sums a lane, whose total is in two registers, from there on, unless it is too quiet.
#define WINDOW(i, lane, c, s, end) \
	MOVQ moment_energy+8*lane(R8), AX \
	SUBQ moment_energy+8*lane(R9), AX \
	VCVTSI2SSQ AX, X12, X6 \
	VMOVSS X6, ear_sums+sum__size*i+sum_energy(DI) \
	VUCOMISS plan_windows+window__size*i+window_least(SI), X6 \
	JCS end \
	SUM(c, s, moment_total+64*lane, ear_sums+sum__size*i)

// func hearAVX2(e *ear, p *plan, x *int16) (energy, peak float32)
TEXT ·hearAVX2(SB), NOSPLIT, $0-32
	MOVQ e+0(FP), DI
	MOVQ p+8(FP), SI
	MOVQ x+16(FP), R8
	INCQ ear_ticks(DI)
	XORL AX, AX
	MOVQ ear_turn(DI), DX
	INCQ DX
	CMPQ DX, plan_period(SI)
	CMOVQEQ AX, DX
	MOVQ DX, ear_turn(DI)
	MOVQ DX, R12
	SHRQ $const_fineShift, R12
	SHLQ $6, R12
	ADDQ plan_coarse(SI), R12 // two phases
	ANDQ $(const_fineTurns-1), DX
	SHLQ $6, DX
	LEAQ plan_fine(SI)(DX*1), R13
	MOVQ plan_tick(SI), AX
	LEAQ ear_samples(DI), R9
	VMOVUPS (R9)(AX*4), Y0
	VMOVUPS Y0, (R9)
	LEAQ (R8)(AX*2), R8 // all count up to their ends
	LEAQ (4*const_lead)(R9)(AX*4), R9
	MOVQ AX, R10
	SHRQ $3, R10
	NEGQ R10
	LEAQ (R9)(R10*4), R10 // an eighth of the tick before
	LEAQ plan_table(SI), R11
	LEAQ plan_twice(SI), DX
	LEAQ plan_filter+filterPlan_matrix(SI), BX
	NEGQ AX
	VXORPS Y0, Y0, Y0 // cosines and sines of plain,
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2 // and of band, then high, in the two halves: cosines of rows and of columns, and sines
	VXORPS Y3, Y3, Y3
	VXORPS Y4, Y4, Y4
	VXORPS Y5, Y5, Y5
	VXORPS Y12, Y12, Y12 // squares of plain,
	VXORPS Y13, Y13, Y13 // and of band and high
	VMOVUPS ear_states(DI), Y14

block:
	VPMOVSXWD (R8)(AX*2), X9
	VCVTDQ2PS X9, X9
	VMOVUPS X9, (R9)(AX*4)
	VFMADD231PS X9, X9, X12
	VINSERTF128 $1, X9, Y9, Y9

	// Y6 is a block of band and one of high, Y7 the next states; Y8 and Y9, Y10 and Y11 are further chains of both.
	SAMPLE(0, FIRST)
	SAMPLE(1, ROW)
	SAMPLE(2, ROW)
	SAMPLE(3, ROW)
	STATE(0, ROW, Y6, Y7)
	STATE(1, ROW, Y6, Y7)
	STATE(2, FIRST, Y8, Y9)
	STATE(3, ROW, Y8, Y9)
	VPERM2F128 $0x01, Y14, Y14, Y14 // the halves crossed
	STATE(4, ROW, Y8, Y9)
	STATE(5, FIRST, Y10, Y11)
	STATE(6, ROW, Y10, Y11)
	STATE(7, ROW, Y10, Y11)
	VADDPS Y10, Y8, Y8
	VADDPS Y11, Y9, Y9
	VADDPS Y8, Y6, Y6
	VADDPS Y9, Y7, Y14
	VFMADD231PS Y6, Y6, Y13

	FILTERED(0)
	FILTERED(1)
	FILTERED(2)
	FILTERED(3)
	ADDQ $256, R11
	ADDQ $512, DX
	ADDQ $4, AX
	JNZ block

	// The differences, once the samples have settled in memory: each straddles two blocks.
	MOVQ plan_tick(SI), AX
	NEGQ AX
	VXORPS X8, X8, X8    // their squares,
	VXORPS X10, X10, X10 // and the greatest

differences:
	VMOVUPS (R9)(AX*4), X6
	VSUBPS (R10)(AX*4), X6, X6
	VMULPS X6, X6, X6
	VADDPS X6, X8, X8
	VMAXPS X6, X10, X10
	ADDQ $4, AX
	JNZ differences
	VINSERTF128 $1, X8, Y12, Y12

	VPERMILPS $0x4e, X10, X11
	VMAXPS X11, X10, X10
	VMOVSHDUP X10, X11
	VMAXSS X11, X10, X10
	VMOVSS X10, peak+28(FP)

	VBROADCASTSS magnitude<>(SB), Y8 // states that are next to nothing are nothing
	VBROADCASTSS least<>(SB), Y9
	VANDPS Y8, Y14, Y8
	VCMPPS $1, Y9, Y8, Y8
	VANDNPS Y14, Y8, Y14
	VMOVUPS Y14, ear_states(DI)

	VMOVUPS (R12), Y6
	VMOVUPS 32(R12), Y7
	VMOVUPS (R13), Y8
	VMOVUPS 32(R13), Y9
	VMULPS Y9, Y7, Y10
	VFMSUB231PS Y8, Y6, Y10 // cosines of their product,
	VMULPS Y8, Y7, Y11
	VFMADD231PS Y9, Y6, Y11 // and sines
	VMOVUPS Y10, ear_phase(DI)
	VMOVUPS Y11, ear_phase+32(DI)

	MOVQ ear_ticks(DI), R10
	MOVQ R10, R8
	LEAQ -1(R10), R9
	ANDQ $(const_depth-1), R8
	ANDQ $(const_depth-1), R9
	IMUL3Q $moment__size, R8, R8
	IMUL3Q $moment__size, R9, R9
	LEAQ ear_history(DI)(R8*1), R8 // now,
	LEAQ ear_history(DI)(R9*1), R9 // and a tick before
	VPERM2F128 $0x20, Y3, Y2, Y9  // cosines
	VPERM2F128 $0x31, Y3, Y2, Y14
	VPERM2F128 $0x20, Y5, Y4, Y3  // and sines of band,
	VPERM2F128 $0x31, Y5, Y4, Y5  // and of high
	TOTAL(const_plain, Y0, Y1)
	TOTAL(const_band, Y9, Y3)
	TOTAL(const_high, Y14, Y5)

	VHADDPS Y13, Y12, Y12
	VHADDPS Y12, Y12, Y12
	VEXTRACTF128 $1, Y12, X13
	VMOVSS X13, energy+24(FP)
	VMOVSHDUP X12, X6
	VMOVSHDUP X13, X7
	ENERGY(const_plain, X12)
	ENERGY(const_band, X6)
	ENERGY(const_high, X7)

	VBROADCASTSS unit<>(SB), Y15
	BACK(const_fourTicks)
	WINDOW(const_four, const_plain, Y0, Y1, bandSix)
bandSix:
	BACK(const_sixTicks)
	WINDOW(const_bandSix, const_band, Y9, Y3, eight)
eight:
	BACK(const_eightTicks)
	WINDOW(const_eight, const_band, Y9, Y3, half)
half:
	BACK(const_halfTicks)
	WINDOW(const_half, const_high, Y14, Y5, done)
done:
	VZEROUPPER
	RET

// func subtractAVX2(s *sum, now, before *total)
TEXT ·subtractAVX2(SB), NOSPLIT, $0-24
	MOVQ s+0(FP), DI
	MOVQ now+8(FP), R8
	MOVQ before+16(FP), R9
	VBROADCASTSS unit<>(SB), Y15
	VMOVDQU (R8), Y0
	VMOVDQU 32(R8), Y1
	SUM(Y0, Y1, 0, 0)
	VZEROUPPER
	RET
