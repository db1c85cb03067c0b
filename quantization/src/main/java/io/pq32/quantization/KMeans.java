package io.pq32.quantization;

import java.util.Arrays;

/** Lloyd's k-means for one sub-quantizer, with {@link PqKernels#CODEBOOK_SIZE} centroids. */
final class KMeans {
  private static final int K = PqKernels.CODEBOOK_SIZE;

  private KMeans() {}

  /**
   * Fits the centroids of the sub-quantizer that covers columns {@code column} to {@code column +
   * subDimension - 1}.
   *
   * <p>First centroids are a seeded sample of the points. A centroid that loses all its points
   * moves to the point that is worst off.
   *
   * @param points {@code [count][stride]}
   * @param codebooks receives {@code [column..][centroid]}
   */
  static void train(
      float[] points,
      int count,
      int stride,
      int column,
      int subDimension,
      int iterations,
      long seed,
      float[] codebooks) {
    int[] first = PqTrainer.sample(count, K, seed);
    int base = column * K;
    for (int centroid = 0; centroid < K; centroid++) {
      int point = first[centroid % first.length] * stride + column;
      for (int d = 0; d < subDimension; d++) {
        codebooks[base + d * K + centroid] = points[point + d];
      }
    }
    byte[] codes = new byte[count];
    float[] halfNorms = new float[K];
    double[] sums = new double[subDimension * K];
    int[] sizes = new int[K];
    for (int i = 0; i < iterations; i++) {
      assign(points, count, stride, column, subDimension, codebooks, halfNorms, codes);
      Arrays.fill(sums, 0);
      Arrays.fill(sizes, 0);
      for (int row = 0; row < count; row++) {
        int centroid = codes[row] & 0xFF;
        sizes[centroid]++;
        for (int d = 0; d < subDimension; d++) {
          sums[d * K + centroid] += points[row * stride + column + d];
        }
      }
      for (int centroid = 0; centroid < K; centroid++) {
        if (sizes[centroid] > 0) {
          for (int d = 0; d < subDimension; d++) {
            codebooks[base + d * K + centroid] = (float) (sums[d * K + centroid] / sizes[centroid]);
          }
        }
      }
      reseedEmpty(points, count, stride, column, subDimension, codes, sizes, codebooks);
    }
  }

  private static void assign(
      float[] points,
      int count,
      int stride,
      int column,
      int subDimension,
      float[] codebooks,
      float[] halfNorms,
      byte[] codes) {
    int base = column * K;
    Arrays.fill(halfNorms, 0);
    for (int d = 0; d < subDimension; d++) {
      for (int centroid = 0; centroid < K; centroid++) {
        float value = codebooks[base + d * K + centroid];
        halfNorms[centroid] += 0.5f * value * value;
      }
    }
    PqKernels.instance()
        .nearest(
            points,
            column,
            stride,
            count,
            codebooks,
            base,
            subDimension,
            halfNorms,
            0,
            codes,
            0,
            1);
  }

  private static void reseedEmpty(
      float[] points,
      int count,
      int stride,
      int column,
      int subDimension,
      byte[] codes,
      int[] sizes,
      float[] codebooks) {
    int base = column * K;
    double[] errors = null;
    for (int empty = 0; empty < K; empty++) {
      if (sizes[empty] > 0) {
        continue;
      }
      if (errors == null) {
        errors = new double[count];
        for (int row = 0; row < count; row++) {
          int point = row * stride + column;
          errors[row] = error(points, point, subDimension, codebooks, base + (codes[row] & 0xFF));
        }
      }
      int worst = 0;
      for (int row = 1; row < count; row++) {
        if (errors[row] > errors[worst]) {
          worst = row;
        }
      }
      if (errors[worst] == 0) {
        return; // fewer distinct points than centroids: the rest stay where they are
      }
      for (int d = 0; d < subDimension; d++) {
        codebooks[base + d * K + empty] = points[worst * stride + column + d];
      }
      // The next empty one goes elsewhere, even when this point has equals and neighbors.
      for (int row = 0; row < count; row++) {
        int point = row * stride + column;
        errors[row] =
            Math.min(errors[row], error(points, point, subDimension, codebooks, base + empty));
      }
    }
  }

  /** Squared distance of a point to the centroid whose first dimension is at {@code centroid}. */
  private static double error(
      float[] points, int point, int subDimension, float[] codebooks, int centroid) {
    double sum = 0;
    for (int d = 0; d < subDimension; d++) {
      double difference = (double) points[point + d] - codebooks[centroid + d * K];
      sum += difference * difference;
    }
    return sum;
  }
}
