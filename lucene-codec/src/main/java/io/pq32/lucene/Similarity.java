package io.pq32.lucene;

import io.pq32.quantization.Metric;
import org.apache.lucene.index.VectorSimilarityFunction;

/** Lucene's similarity functions as this format knows them: a number on disk and a metric. */
enum Similarity {
  EUCLIDEAN(0, VectorSimilarityFunction.EUCLIDEAN, Metric.EUCLIDEAN),
  DOT_PRODUCT(1, VectorSimilarityFunction.DOT_PRODUCT, Metric.DOT_PRODUCT),
  COSINE(2, VectorSimilarityFunction.COSINE, Metric.COSINE),
  MAXIMUM_INNER_PRODUCT(3, VectorSimilarityFunction.MAXIMUM_INNER_PRODUCT, Metric.DOT_PRODUCT);

  private final int wireNumber;
  private final VectorSimilarityFunction function;
  private final Metric metric;

  Similarity(int wireNumber, VectorSimilarityFunction function, Metric metric) {
    this.wireNumber = wireNumber;
    this.function = function;
    this.metric = metric;
  }

  int wireNumber() {
    return wireNumber;
  }

  VectorSimilarityFunction function() {
    return function;
  }

  /** What orders the codes as the function orders the vectors. */
  Metric metric() {
    return metric;
  }

  /**
   * What a score was made from: the product of two vectors (for COSINE, scaled to unit length), or
   * minus half their squared distance. This is what the sum of a code's levels estimates. A score
   * lower than any vector has (a collector may ask for that) is made from minus infinity.
   */
  double linear(float score) {
    return switch (this) {
      case EUCLIDEAN -> score > 0 ? 0.5 - 0.5 / score : Double.NEGATIVE_INFINITY;
      case DOT_PRODUCT, COSINE -> 2.0 * score - 1;
      case MAXIMUM_INNER_PRODUCT -> {
        double inverse = score > 0 ? 1 - 1.0 / score : Double.NEGATIVE_INFINITY;
        yield score < 1 ? inverse : score - 1.0;
      }
    };
  }

  static Similarity of(VectorSimilarityFunction function) {
    for (Similarity similarity : values()) {
      if (similarity.function == function) {
        return similarity;
      }
    }
    throw new IllegalArgumentException("unknown similarity function " + function);
  }
}
