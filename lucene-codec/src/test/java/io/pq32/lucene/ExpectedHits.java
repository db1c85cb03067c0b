package io.pq32.lucene;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pq32.quantization.Vectors;
import java.util.Arrays;
import java.util.BitSet;
import java.util.function.IntFunction;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.apache.lucene.search.ScoreDoc;

/**
 * Which hits does a search owe its caller?
 *
 * @param vectors by id
 * @param matches ids of all that may be found, the nearest first
 */
record ExpectedHits(
    VectorSimilarityFunction similarity,
    float[] query,
    IntFunction<float[]> vectors,
    int[] matches,
    int k) {

  /**
   * Checks all but which of the matches were found.
   *
   * @param found ids of the hits
   */
  void check(int[] found, ScoreDoc[] hits) {
    assertEquals(Math.min(k, matches.length), found.length, "hits");
    assertEquals(found.length, Arrays.stream(found).distinct().count(), "different hits");
    BitSet allowed = new BitSet();
    for (int id : matches) {
      allowed.set(id);
    }
    for (int i = 0; i < found.length; i++) {
      assertTrue(allowed.get(found[i]), "live and passing");
      assertEquals(score(found[i]), hits[i].score, tolerance(found[i]));
      assertTrue(i == 0 || hits[i].score <= hits[i - 1].score, "best first");
    }
  }

  /** Share of the hits, at least one, that are as near as the last one wanted: any copy will do. */
  double recall(int[] found) {
    int last = matches[found.length - 1];
    double least = score(last) - tolerance(last);
    return Arrays.stream(found).filter(id -> score(id) >= least).count() / (double) found.length;
  }

  private float score(int id) {
    return score(similarity, query, vectors.apply(id));
  }

  /** Lucene's score, and 0 where that is not a number. */
  static float score(VectorSimilarityFunction similarity, float[] query, float[] vector) {
    float score = similarity.compare(query, vector);
    return Float.isNaN(score) ? 0 : score;
  }

  /** What a score may be off by rounding: more where large products cancel each other. */
  private double tolerance(int id) {
    if (Float.isInfinite(score(id))) {
      return 0;
    }
    float[] vector = vectors.apply(id);
    double scale =
        similarity == VectorSimilarityFunction.MAXIMUM_INNER_PRODUCT
            ? Math.sqrt(Vectors.dot(query, query) * Vectors.dot(vector, vector))
            : 0;
    return 1e-5 * Math.max(scale, score(id));
  }
}
