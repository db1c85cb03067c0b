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

  private final RandomVectorScorer scorer;
  private final AcceptedOrds accepted;
  private final KnnCollector collector;
  private int scored;

  ExactScan(RandomVectorScorer scorer, AcceptedOrds accepted, KnnCollector collector) {
    this.scorer = scorer;
    this.accepted = accepted;
    this.collector = collector;
  }

  /** Searches. */
  void run() throws IOException {
    int[] ords = new int[BULK];
    float[] scores = new float[BULK];
    AcceptedOrds.Cursor cursor = accepted.cursor();
    int count;
    while (!collector.earlyTerminated() && (count = cursor.next(ords)) > 0) {
      collector.incVisitedCount(count);
      float best = scorer.bulkScore(ords, scores, count);
      scored += count;
      if (best > collector.minCompetitiveSimilarity()) {
        for (int i = 0; i < count; i++) {
          collector.collect(scorer.ordToDoc(ords[i]), scores[i]);
        }
      }
    }
  }

  /** Vectors scored so far. */
  int scored() {
    return scored;
  }
}
