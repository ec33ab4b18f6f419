package adversary

import "math"

// matrix is a symmetric one, of which the lower triangle is kept.
type matrix struct {
	n int
	a []float64 // row by row; a[i*n+j] with j <= i
}

func newMatrix(n int) *matrix { return &matrix{n: n, a: make([]float64, n*n)} }

// addOuter adds w times x's product with itself.
func (m *matrix) addOuter(x []float64, w float64) {
	for i, v := range x {
		if v *= w; v != 0 {
			row := m.a[i*m.n : i*m.n+i+1]
			for j := range row {
				row[j] += v * x[j]
			}
		}
	}
}

// ridge adds to the diagonal.
func (m *matrix) ridge(v float64) {
	for i := range m.n {
		m.a[i*m.n+i] += v
	}
}

// factor puts the Cholesky factor in the matrix's place. The matrix is positive definite: see ridge.
func (m *matrix) factor() {
	for i := range m.n {
		ri := m.a[i*m.n : i*m.n+i+1]
		for j := range i {
			rj := m.a[j*m.n : j*m.n+j+1]
			ri[j] = (ri[j] - dot(ri[:j], rj[:j])) / rj[j]
		}
		ri[i] = math.Sqrt(max(1e-12, ri[i]-energyOf(ri[:i])))
	}
}

// forward solves the factor's own equation, with b on the right; x may be b.
func (m *matrix) forward(b, x []float64) {
	for i := range m.n {
		row := m.a[i*m.n : i*m.n+i+1]
		x[i] = (b[i] - dot(row[:i], x[:i])) / row[i]
	}
}

// solve finds x of the factored matrix's equation with b on the right.
func (m *matrix) solve(b, x []float64) {
	m.forward(b, x)
	for i := m.n - 1; i >= 0; i-- {
		x[i] /= m.a[i*m.n+i]
		for j := range i {
			x[j] -= m.a[i*m.n+j] * x[i]
		}
	}
}
