package io.pq32.quantization;

/**
 * How far is one query from any code? Asymmetric distance computation: the query keeps full
 * precision, and a code's distance is a sum of table entries, one per sub-quantizer.
 *
 * <p>{@link #levels()} is the table quantized to 7 bits, which the kernels sum: larger sums are
 * nearer, whatever the metric. Quantizing costs at most .005 recall@10 before reranking.
 *
 * <p>Reused from query to query by one thread; allocates nothing after construction.
 */
public final class AdcTable {
  private final ProductQuantizer quantizer;
  private final float[] query;
  private final float[] projected;
  private final float[] entries; // [subQuantizer][centroid], larger is nearer
  private final float[] minima; // [subQuantizer]
  private final byte[] levels; // [subQuantizer][centroid]
  private float bias;

  AdcTable(ProductQuantizer quantizer) {
    this.quantizer = quantizer;
    PqLayout layout = quantizer.layout();
    this.query = new float[layout.dimension()];
    this.projected = new float[layout.projectedDimension()];
    this.entries = new float[layout.subQuantizers() * PqKernels.CODEBOOK_SIZE];
    this.minima = new float[layout.subQuantizers()];
    this.levels = new byte[entries.length];
  }

  /** Fills the table for a query, or for a stored vector taken as one. */
  public void fill(float[] vector) {
    if (vector.length != query.length) {
      throw new IllegalArgumentException(
          "query must have dimension " + query.length + "; got " + vector.length);
    }
    PqKernels kernels = PqKernels.instance();
    PqLayout layout = quantizer.layout();
    System.arraycopy(vector, 0, query, 0, query.length);
    quantizer.normalizeIfCosine(query, 0);
    boolean euclidean = quantizer.metric() == Metric.EUCLIDEAN;
    if (euclidean) {
      quantizer.center(query, 1);
    } else {
      bias = quantizer.meanProduct(query);
    }
    quantizer.project(query, 1, projected);
    kernels.innerProducts(
        projected,
        0,
        quantizer.codebooks(),
        layout.subQuantizers(),
        layout.subDimension(),
        entries);
    if (euclidean) {
      float[] halfNorms = quantizer.halfNorms();
      for (int i = 0; i < entries.length; i++) {
        entries[i] -= halfNorms[i];
      }
      bias = 0.5f * kernels.dot(projected, 0, projected, 0, projected.length);
    }
    kernels.quantize(entries, layout.subQuantizers(), minima, levels);
  }

  /**
   * The 7-bit table {@code [subQuantizer][centroid]} of the last {@link #fill}; larger is nearer.
   */
  public byte[] levels() {
    return levels;
  }

  /**
   * Estimated distance of the query to a code, from the unquantized table: squared Euclidean
   * distance within the projected space, or the negative inner product; smaller is nearer.
   *
   * @param codes the code starts at {@code offset}
   */
  public float distance(byte[] codes, int offset) {
    float sum = 0;
    for (int m = 0; m < minima.length; m++) {
      sum += entries[m * PqKernels.CODEBOOK_SIZE + (codes[offset + m] & 0xFF)];
    }
    double unit = quantizer.squaredComponentLength();
    return quantizer.metric() == Metric.EUCLIDEAN
        ? (float) (Math.max(0, 2 * ((double) bias - sum)) / unit)
        : (float) -(bias + sum / unit);
  }
}
