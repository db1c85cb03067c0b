package io.pq32.benchmarks;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import org.apache.lucene.index.VectorSimilarityFunction;

/** What nearness means in a data set, named as its {@code stats.json} names it. */
enum Similarity {
  L2(VectorSimilarityFunction.EUCLIDEAN),
  DOT(VectorSimilarityFunction.DOT_PRODUCT),
  COSINE(VectorSimilarityFunction.COSINE),
  MIP(VectorSimilarityFunction.MAXIMUM_INNER_PRODUCT);

  final VectorSimilarityFunction function;

  Similarity(VectorSimilarityFunction function) {
    this.function = function;
  }

  static Similarity named(String name) {
    return Arrays.stream(values())
        .filter(similarity -> similarity.toString().equals(name.toLowerCase(Locale.ROOT)))
        .findFirst()
        .orElseThrow(
            () -> new BadInputException("unknown metric '" + name + "'; known: " + names()));
  }

  static String names() {
    return Arrays.stream(values()).map(Similarity::toString).collect(Collectors.joining(", "));
  }

  /** Distance in double precision; nearer is smaller. */
  double distance(float[] a, float[] b) {
    return switch (this) {
      case L2 -> {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
          double difference = (double) a[i] - b[i];
          sum += difference * difference;
        }
        yield sum;
      }
      case DOT, MIP -> -dot(a, b);
      case COSINE -> -dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
    };
  }

  static double dot(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (double) a[i] * b[i];
    }
    return sum;
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
