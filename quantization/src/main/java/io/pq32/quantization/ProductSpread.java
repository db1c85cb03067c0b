package io.pq32.quantization;

/**
 * How far do the products of a query with some codes scatter around that with their mean? Of
 * queries that are distributed as the vectors, what counts is the scatter of the codes along the
 * components in which vectors differ most.
 *
 * <p>Immutable and safe for use by several threads.
 */
public final class ProductSpread {
  private final int subQuantizers;
  private final double[] weights; // [projectedDimension], their sum is 1
  private final float[] squares; // [subQuantizer][centroid], weighted

  /**
   * @param quantizer of the codes
   */
  public ProductSpread(ProductQuantizer quantizer) {
    PqLayout layout = quantizer.layout();
    this.subQuantizers = layout.subQuantizers();
    this.weights = weights(quantizer);
    this.squares = new float[subQuantizers * PqKernels.CODEBOOK_SIZE];
    for (int row = 0; row < weights.length; row++) {
      int first = row / layout.subDimension() * PqKernels.CODEBOOK_SIZE;
      for (int centroid = 0; centroid < PqKernels.CODEBOOK_SIZE; centroid++) {
        double value = quantizer.codebooks().value(row, centroid);
        squares[first + centroid] += (float) (weights[row] * value * value);
      }
    }
  }

  /** Share of each component in the spread of the centroids, which is that of the vectors. */
  private static double[] weights(ProductQuantizer quantizer) {
    double[] weights = new double[quantizer.layout().projectedDimension()];
    double sum = 0;
    for (int row = 0; row < weights.length; row++) {
      for (int centroid = 0; centroid < PqKernels.CODEBOOK_SIZE; centroid++) {
        double value = quantizer.codebooks().value(row, centroid);
        weights[row] += value * value;
      }
      sum += weights[row];
    }
    for (int row = 0; row < weights.length; row++) {
      weights[row] = sum > 0 ? weights[row] / sum : 0;
    }
    return weights;
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
