package io.pq32.lucene;

import java.io.IOException;
import java.util.Arrays;
import org.apache.lucene.search.KnnCollector;
import org.apache.lucene.util.hnsw.RandomVectorScorer;

/**
 * Gives candidates their exact scores, most promising first, for as long as it pays.
 *
 * <p>Candidates come in slices. The first ones are always scored; after that, another slice is
 * scored only when the last one held a vector that could still compete. So an easy query reads few
 * vectors, one whose neighbors the codes tell apart badly reads more, and a collector that wants
 * more than k documents (one per parent, or all above a threshold) gets them.
 */
final class Reranker {
  private Reranker() {}

  /**
   * Candidates that are always scored for k hits, in two slices. At k = 10 these are 100, which
   * hold .986 of the ten nearest of real texts at 768 dimensions and .992 of glyph images; the
   * slices beyond find most of the rest.
   */
  static int depth(int k) {
    return (int) Math.min(1 << 28, 60 + 4L * k);
  }

  /** Scores and collects what a source finds. */
  static void collect(
      CandidateSource source, int depth, RandomVectorScorer scorer, KnnCollector collector)
      throws IOException {
    int slice = depth / 2;
    float[] scores = new float[slice];
    int scored = 0;
    boolean competed = true;
    while (competed || scored < depth) {
      int[] ords = source.next();
      if (ords.length == 0) {
        return;
      }
      for (int from = 0; from < ords.length && (competed || scored < depth); from += slice) {
        int count = Math.min(slice, ords.length - from);
        competed = collectSlice(ords, from, count, scores, scorer, collector);
        scored += count;
      }
    }
  }

  /** Scores one slice; returns whether one of its vectors could compete with those before it. */
  private static boolean collectSlice(
      int[] ords,
      int from,
      int count,
      float[] scores,
      RandomVectorScorer scorer,
      KnnCollector collector)
      throws IOException {
    // Ascending: the order in which the vectors lie in their file.
    int[] sorted = Arrays.copyOfRange(ords, from, from + count);
    Arrays.sort(sorted);
    float bound = collector.minCompetitiveSimilarity();
    if (scorer.bulkScore(sorted, scores, count) <= bound) {
      return false;
    }
    for (int i = 0; i < count; i++) {
      if (scores[i] > collector.minCompetitiveSimilarity()) {
        collector.collect(scorer.ordToDoc(sorted[i]), scores[i]);
      }
    }
    return true;
  }
}
