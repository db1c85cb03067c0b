package io.pq32.lucene;

import java.io.IOException;
import org.apache.lucene.search.KnnCollector;
import org.apache.lucene.util.hnsw.RandomVectorScorer;

/** Scores every accepted vector on its full floats. */
final class ExactScan {
  /**
   * Vectors of one bulk call, after which the collector may say stop; Lucene's own scan has as
   * many.
   */
  private static final int BULK = 64;

  private ExactScan() {}

  /** Searches; returns how many vectors were scored. */
  static int search(RandomVectorScorer scorer, AcceptedOrds accepted, KnnCollector collector)
      throws IOException {
    int[] ords = new int[BULK];
    float[] scores = new float[BULK];
    AcceptedOrds.Cursor cursor = accepted.cursor();
    int scored = 0;
    int count;
    while (!collector.earlyTerminated() && (count = cursor.next(ords)) > 0) {
      collector.incVisitedCount(count);
      scored += count;
      if (scorer.bulkScore(ords, scores, count) > collector.minCompetitiveSimilarity()) {
        for (int i = 0; i < count; i++) {
          collector.collect(scorer.ordToDoc(ords[i]), scores[i]);
        }
      }
    }
    return scored;
  }
}
