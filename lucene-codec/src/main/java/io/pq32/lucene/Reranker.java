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
   * Depth that is always scored for k hits: half of it for one slice. At k = 10 these are 100
   * candidates, which hold .986 of the ten nearest of real texts at 768 dimensions and .992 of
   * glyph images (L2); the slices beyond find most of the rest.
   */
  static int depth(int k) {
    return (int) Math.min(Integer.MAX_VALUE / 8, 60 + 4L * k);
  }

  /**
   * Scores and collects.
   *
   * @param ords most promising first
   * @param from the first that was not scored yet
   * @param depth of {@link #depth}
   * @return whether all candidates were scored and the last slice could still compete: more might
   */
  static boolean collect(
      int[] ords, int from, int depth, RandomVectorScorer scorer, KnnCollector collector)
      throws IOException {
    int slice = depth / 2;
    float[] scores = new float[Math.min(slice, ords.length)];
    boolean competed = true;
    for (int i = from; i < ords.length && (competed || i < depth); i += slice) {
      int count = Math.min(slice, ords.length - i);
      // Ascending: the order in which the vectors lie in their file.
      int[] sorted = Arrays.copyOfRange(ords, i, i + count);
      Arrays.sort(sorted);
      float before = collector.minCompetitiveSimilarity();
      float best = scorer.bulkScore(sorted, scores, count);
      competed = best > before;
      if (competed) {
        for (int j = 0; j < count; j++) {
          if (scores[j] > collector.minCompetitiveSimilarity()) {
            collector.collect(scorer.ordToDoc(sorted[j]), scores[j]);
          }
        }
      }
    }
    return competed;
  }
}
