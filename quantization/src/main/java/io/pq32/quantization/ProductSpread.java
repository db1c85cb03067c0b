package io.pq32.quantization;

import java.util.Arrays;

/**
 * How far do the products of a query with some codes scatter around that with their mean? Of
 * queries that are distributed as the vectors, what counts is the scatter of the codes along the
 * components in which vectors differ most.
 *
 * <p>Immutable and safe for use by several threads.
 */
public final class ProductSpread {
  private final int subQuantizers;

  /** Share of each component in the squares of the centroids, as in those of the vectors. */
  private final double[] weights; // [projectedDimension]

  private final float[] squares; // [subQuantizer][centroid], weighted

  /**
   * @param quantizer of the codes
   */
  public ProductSpread(ProductQuantizer quantizer) {
    PqLayout layout = quantizer.layout();
    this.subQuantizers = layout.subQuantizers();
    this.weights = new double[layout.projectedDimension()];
    this.squares = new float[subQuantizers * PqKernels.CODEBOOK_SIZE];
    float[] centroids = quantizer.codebooks().floats();
    for (int i = 0; i < centroids.length; i++) {
      weights[i / PqKernels.CODEBOOK_SIZE] += (double) centroids[i] * centroids[i];
    }
    double sum = Arrays.stream(weights).sum();
    for (int row = 0; row < weights.length; row++) {
      weights[row] = sum > 0 ? weights[row] / sum : 0;
    }
    for (int i = 0; i < centroids.length; i++) {
      int row = i / PqKernels.CODEBOOK_SIZE;
      int first = row / layout.subDimension() * PqKernels.CODEBOOK_SIZE;
      squares[first + i % PqKernels.CODEBOOK_SIZE] +=
          (float) (weights[row] * centroids[i] * centroids[i]);
    }
  }

  /**
   * Standard deviation of the products of some codes with a query, as multiple of {@link
   * AdcTable#length()}.
   *
   * @param codes {@code [count][subQuantizer]}, at least one
   * @param mean of the points that the codes stand for, {@code [projectedDimension]}; see {@link
   *     ProductQuantizer#addDecodedTo}
   */
  public float of(byte[] codes, int count, float[] mean) {
    double sum = 0;
    for (int i = 0; i < count; i++) {
      for (int m = 0; m < subQuantizers; m++) {
        sum += squares[m * PqKernels.CODEBOOK_SIZE + (codes[i * subQuantizers + m] & 0xFF)];
      }
    }
    double ofMean = 0;
    for (int row = 0; row < weights.length; row++) {
      ofMean += weights[row] * mean[row] * mean[row];
    }
    return (float) Math.sqrt(Math.max(0, sum / count - ofMean));
  }
}
