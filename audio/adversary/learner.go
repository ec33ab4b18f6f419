package adversary

import (
	"math"
	"math/rand/v2"
)

const (
	// folds is into how many parts the keys are split: each part is guessed by what was learnt from the others.
	folds = 5
	// doubt is how many standard errors a symbol's mean must lie off the mean of all to count as off. Without
	// it a hundred features in which nothing is would drown the one in which something is.
	doubt = 2.5
)

// lesson is what one attacker that learns can look at: one row of features for each key, independent of each
// other and of unit variance as far as this many keys tell.
//
// It learns each symbol's mean, as what its row, its column and it alone add to the mean of all, and guesses the symbol whose mean lies nearest: the linear discriminant that
// multinomial logistic regression ends up near, too, but in closed form, so that learning a hundred shuffled
// truths costs next to nothing. All symbols count as equally likely, so that a card that repeats a digit is
// no leak.
type lesson struct {
	rows    [][]float64
	fold    []int // of each row
	symbols []int // their places in tone.Keys
	guesses []int // of the last round of learning, for each row,
	margins []float64
}

// newLesson takes features, of which NaN are missing ones.
func newLesson(features [][]float64, symbols []int) *lesson {
	l := &lesson{rows: whitened(standardised(features)), symbols: symbols,
		fold: make([]int, len(features)), guesses: make([]int, len(features)), margins: make([]float64, len(features))}
	r := rand.New(rand.NewPCG(3, 4))
	for i, place := range r.Perm(len(features)) {
		l.fold[place] = i % folds
	}
	return l
}

// standardised gives each feature zero mean and unit variance over the keys that have it, and the mean to the
// others. It leaves out those that never differ.
func standardised(rows [][]float64) [][]float64 {
	if len(rows) == 0 {
		return nil
	}
	out := make([][]float64, len(rows))
	for f := range rows[0] {
		n, sum, square := 0.0, 0.0, 0.0
		for _, row := range rows {
			if v := row[f]; !math.IsNaN(v) {
				n, sum = n+1, sum+v
			}
		}
		mean := sum / max(n, 1)
		for _, row := range rows {
			if v := row[f]; !math.IsNaN(v) {
				square += (v - mean) * (v - mean)
			}
		}
		if square <= 1e-9*n*(1+mean*mean) {
			continue
		}
		scale := math.Sqrt(n / square)
		for i, row := range rows {
			v := 0.0
			if !math.IsNaN(row[f]) {
				v = (row[f] - mean) * scale
			}
			out[i] = append(out[i], v)
		}
	}
	return out
}

// whitened replaces each feature by what those before it don't tell, in units of its own deviation. No truth
// goes into that. A ridge keeps it from blowing up what so few keys can't tell.
func whitened(rows [][]float64) [][]float64 {
	if len(rows) == 0 {
		return nil
	}
	cov := newMatrix(len(rows[0]))
	for _, row := range rows {
		cov.addOuter(row, 1/float64(len(rows)))
	}
	cov.ridge(0.01 + float64(cov.n)/float64(len(rows)))
	cov.factor()
	for _, row := range rows {
		cov.forward(row, row)
	}
	return standardised(rows)
}

// learn guesses every key by the means of the other folds.
func (l *lesson) learn(truth []int) (guesses []int, margins []float64) {
	if len(l.rows) == 0 {
		return nil, nil
	}
	for fold := range folds {
		means, count := l.means(fold, truth)
		for i, row := range l.rows {
			if l.fold[i] == fold {
				l.guess(i, row, means, count)
			}
		}
	}
	return l.guesses, l.margins
}

// means are those of each symbol outside a fold, of as many rows as it counts.
func (l *lesson) means(fold int, truth []int) (means [][]float64, count []float64) {
	dim := len(l.rows[0])
	var rows, columns [4][]float64
	var inRow, inColumn [4]float64
	for i := range rows {
		rows[i], columns[i] = make([]float64, dim), make([]float64, dim)
	}
	means, count = make([][]float64, len(l.symbols)), make([]float64, len(l.symbols))
	for s := range means {
		means[s] = make([]float64, dim)
	}
	for i, row := range l.rows {
		if l.fold[i] != fold {
			count[truth[i]]++
			add(means[truth[i]], row)
		}
	}
	for s, place := range l.symbols {
		inRow[place/4] += count[s]
		inColumn[place%4] += count[s]
		add(rows[place/4], means[s])
		add(columns[place%4], means[s])
	}
	for i := range rows {
		settle(rows[i], inRow[i])
		settle(columns[i], inColumn[i])
	}
	for s, place := range l.symbols {
		row, column := rows[place/4], columns[place%4]
		for f := range means[s] {
			means[s][f] -= count[s] * (row[f] + column[f])
		}
		settle(means[s], count[s])
		add(means[s], row)
		add(means[s], column)
	}
	return means, count
}

func add(sum, x []float64) {
	for f, v := range x {
		sum[f] += v
	}
}

// settle makes a mean of a sum of n, where that lies far enough off zero.
func settle(sum []float64, n float64) {
	for f := range sum {
		if sum[f] /= max(1, n); math.Abs(sum[f])*math.Sqrt(n) < doubt {
			sum[f] = 0
		}
	}
}

func (l *lesson) guess(i int, row []float64, means [][]float64, count []float64) {
	first, second, top := math.Inf(-1), math.Inf(-1), 0
	for n := range means {
		s := (n + i) % len(means) // so that where nothing was learnt the guess is as good as random
		if count[s] == 0 {
			continue // never taught
		}
		switch score := dot(means[s], row) - energyOf(means[s])/2; {
		case score > first:
			first, second, top = score, first, s
		case score > second:
			second = score
		}
	}
	l.guesses[i], l.margins[i] = top, first-max(second, first-1e9)
}
