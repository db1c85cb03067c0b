package io.pq32.lucene;

import java.io.IOException;
import java.util.Arrays;
import org.apache.lucene.search.KnnCollector;
import org.apache.lucene.search.knn.KnnSearchStrategy;
import org.apache.lucene.util.hnsw.RandomVectorScorer;

/**
 * Gives candidates their exact scores, most promising first, for as long as it pays.
 *
 * <p>A code says what to expect of a vector; the vectors scored so far say how far that is off, on
 * average and by how much it scatters. Scoring ends at a candidate that would have to be further
 * off than {@value #CONFIDENCE} standard deviations to compete, but not while vectors still
 * compete: the last {@value #WITHOUT_HITS} of those scored must not have. (The nearest vectors are
 * further off than others where the projection drops what they have in common; then hits trickle in
 * for long.) So an easy query reads few vectors, one whose neighbors the codes tell apart badly
 * reads more, and a collector that wants more than k documents (one per parent, or all above a
 * threshold) gets them.
 *
 * <p>Measured against all codes scanned, k = 10: on text-768 88 vectors find .992 of the ten
 * nearest, on glyphs-784 79 find .9945; on 200,000 synthetic vectors whose neighbors differ in what
 * the projection drops, 254 find .938, where a fixed depth of 100 finds .83.
 */
final class Reranker {
  /** Standard deviations. */
  private static final double CONFIDENCE = 2.25;

  /** Share of the vectors scored. */
  private static final double WITHOUT_HITS = 0.4;

  /** Vectors in a row that do not compete, in multiples of {@link #depth}, that end it anyway. */
  private static final int PATIENCE = 4;

  /** Vectors scored before the scatter is judged, at least. */
  private static final int MIN_FIRST = 20;

  /** Vectors scored at once, at least: enough for their cache misses to overlap. */
  private static final int MIN_SLICE = 16;

  private final Similarity similarity;
  private final double step;
  private final RandomVectorScorer scorer;
  private final KnnCollector collector;
  private final KnnSearchStrategy strategy; // null where the collector has none

  private int scored;

  // Of what the codes were off so far.
  private int errors;
  private double mean;
  private double squares;

  /**
   * @param step what one level is worth as a product or as minus half a squared distance
   */
  Reranker(Similarity similarity, double step, RandomVectorScorer scorer, KnnCollector collector) {
    this.similarity = similarity;
    this.step = step;
    this.scorer = scorer;
    this.collector = collector;
    this.strategy =
        collector.getSearchStrategy() instanceof KnnSearchStrategy.Seeded seeded
            ? seeded.originalStrategy() // which hears of the blocks, and may be null
            : collector.getSearchStrategy();
  }

  /**
   * Candidates that k hits need at most, as a rule. At k = 10 these are 100, which hold .986 of the
   * ten nearest of real texts at 768 dimensions and .992 of glyph images.
   */
  static int depth(int k) {
    return (int) Math.min(1 << 28, 60 + 4L * k);
  }

  /**
   * Scores and collects what a source finds. Each slice is a block to the collector's strategy,
   * whose patience may end the search: only here are there hits that could fail to appear. A search
   * that was ended before, by a timeout for one, has its first slice scored yet, without which all
   * that it has found would be lost.
   */
  void collect(CandidateSource source, int k) throws IOException {
    int first = Math.max(MIN_FIRST, k);
    int slice = Math.max(MIN_SLICE, k / 4);
    float[] scores = new float[Math.max(first, slice)];
    int misses = 0; // since a vector competed
    for (Candidates found = source.next(); found.count() > 0; found = source.next()) {
      int count;
      for (int from = 0; from < found.count(); from += count) {
        if (scored >= first
            && (collector.earlyTerminated() || isOver(misses, found.sums()[from], k))) {
          return;
        }
        count = Math.min(scored < first ? first - scored : slice, found.count() - from);
        misses = collectSlice(found, from, count, scores) ? 0 : misses + count;
        scored += count;
        if (strategy != null) {
          strategy.nextVectorsBlock();
        }
      }
    }
  }

  /** Vectors scored so far. */
  int scored() {
    return scored;
  }

  private boolean isOver(int misses, int nextSum, int k) {
    return misses >= PATIENCE * depth(k) || misses >= WITHOUT_HITS * scored && !competes(nextSum);
  }

  /** Whether a candidate with that sum may be better than what was collected. */
  private boolean competes(int sum) {
    double bound = similarity.linear(collector.minCompetitiveSimilarity());
    double scatter = errors > 1 ? Math.sqrt(squares / (errors - 1)) : 0;
    // One level more, which rounding may have cost. Where nothing is known (all is infinite), all
    // candidates compete.
    return !(step * (sum + 1) + mean + CONFIDENCE * scatter <= bound);
  }

  /** Scores one slice; returns whether one of its vectors competed with those before it. */
  private boolean collectSlice(Candidates found, int from, int count, float[] scores)
      throws IOException {
    // Ascending: the order in which the vectors lie in their file.
    long[] sorted = new long[count]; // ord << 16 | sum
    for (int i = 0; i < count; i++) {
      sorted[i] = (long) found.ords()[from + i] << Short.SIZE | found.sums()[from + i];
    }
    Arrays.sort(sorted);
    int[] ords = new int[count];
    for (int i = 0; i < count; i++) {
      ords[i] = (int) (sorted[i] >>> Short.SIZE);
    }
    boolean competed = scorer.bulkScore(ords, scores, count) > collector.minCompetitiveSimilarity();
    for (int i = 0; i < count; i++) {
      if (scores[i] > collector.minCompetitiveSimilarity()) {
        collector.collect(scorer.ordToDoc(ords[i]), scores[i]);
      }
      learn(similarity.linear(scores[i]) - step * (short) sorted[i]);
    }
    return competed;
  }

  private void learn(double error) {
    if (Double.isFinite(error)) {
      errors++;
      double deviation = error - mean;
      mean += deviation / errors;
      squares += deviation * (error - mean);
    }
  }
}
