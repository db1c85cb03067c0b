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
  private final ProjectionBatch single;
  private final float[] entries; // [subQuantizer][centroid], larger is nearer
  private final float[] minima; // [subQuantizer]
  private final float[] scratch; // [subQuantizer][subDimension]
  private final float[] farEntries; // scratch, as ProductQuantizer.far()
  private final byte[] levels; // [subQuantizer][centroid]
  private boolean euclidean;
  private float bias;
  private float scale; // of levels; 0 when all entries of a sub-quantizer are equal, for each
  private double unit; // of entries: what the query was divided by
  private double length; // of the projected query across the mean, where products count

  AdcTable(ProductQuantizer quantizer) {
    this.quantizer = quantizer;
    PqLayout layout = quantizer.layout();
    this.single = quantizer.newBatch(1);
    this.entries = new float[layout.subQuantizers() * PqKernels.CODEBOOK_SIZE];
    this.minima = new float[layout.subQuantizers()];
    this.scratch = new float[layout.projectedDimension()];
    this.farEntries = new float[quantizer.far().length];
    this.levels = new byte[entries.length];
  }

  /** Fills the table for a query. */
  public void fill(float[] query) {
    single.clear();
    single.add(query);
    double divisor = single.projectQuery();
    float[] projected = single.projected();
    if (quantizer.metric() == Metric.EUCLIDEAN) {
      fillProjected(projected, 0);
    } else {
      multiply(projected, 0);
      fillProducts(quantizer.productWithMean(single.vectors(), 0));
      length = lengthAcrossMean(projected);
    }
    unit = divisor;
  }

  private double lengthAcrossMean(float[] query) {
    PqKernels kernels = PqKernels.instance();
    float[] mean = quantizer.projectedMean();
    double squares = kernels.dot(query, 0, query, 0, query.length);
    double product = kernels.dot(query, 0, mean, 0, query.length);
    double ofMean = quantizer.squaredProjectedMean();
    return Math.sqrt(Math.max(0, squares - (ofMean > 0 ? product * product / ofMean : 0)));
  }

  /** Fills the table for vector {@code i} of a projected batch. */
  public void fill(ProjectionBatch batch, int i) {
    PqLayout layout = quantizer.layout();
    int offset = i * layout.projectedDimension();
    if (quantizer.metric() == Metric.EUCLIDEAN) {
      fillProjected(batch.projected(), offset);
      return;
    }
    multiply(batch.projected(), offset);
    // The projected vector is centered; an inner product counts from zero.
    float[] meanProducts = quantizer.meanProducts();
    for (int j = 0; j < entries.length; j++) {
      entries[j] += meanProducts[j];
    }
    fillProducts(quantizer.productWithMeanOfCentered(batch.vectors(), i * layout.dimension()));
  }

  private void fillProducts(float productWithMean) {
    euclidean = false;
    bias = productWithMean;
    unit = 1;
    quantize();
  }

  /**
   * Fills the table for a point of the projected space, say one that stands for a group of codes.
   * The nearest codes are those of the least Euclidean distance within that space, whatever the
   * metric: the codes that lose least when the point stands for them.
   *
   * @param projected {@code [subQuantizer][subDimension]}, from {@code offset}
   */
  public void fillProjected(float[] projected, int offset) {
    multiply(projected, offset);
    // The nearest centroid has the largest inner product less half its squared norm.
    float[] halfNorms = quantizer.halfNorms();
    for (int j = 0; j < entries.length; j++) {
      entries[j] -= halfNorms[j];
    }
    int dimension = quantizer.layout().projectedDimension();
    euclidean = true;
    unit = 1;
    bias = 0.5f * PqKernels.instance().dot(projected, offset, projected, offset, dimension);
    quantize();
  }

  private void multiply(float[] projected, int offset) {
    quantizer.codebooks().innerProducts(quantizer.layout(), projected, offset, scratch, entries);
  }

  /**
   * Far centroids count as no farther than the farthest of the others, or the levels would tell
   * apart nothing but what is far: one vector twenty times as long as 5,000 others took .36 of
   * their recall@10.
   */
  private void quantize() {
    int[] far = quantizer.far();
    for (int i = 0; i < far.length; i++) {
      farEntries[i] = entries[far[i]];
      entries[far[i]] = Float.POSITIVE_INFINITY;
    }
    int m = -1;
    float least = 0;
    for (int i = 0; i < far.length; i++) {
      if (far[i] / PqKernels.CODEBOOK_SIZE != m) {
        m = far[i] / PqKernels.CODEBOOK_SIZE;
        least = least(m);
      }
      entries[far[i]] = Math.max(farEntries[i], least);
    }
    scale = PqKernels.instance().quantize(entries, minima.length, minima, levels);
    for (int i = 0; i < far.length; i++) {
      entries[far[i]] = farEntries[i];
    }
  }

  private float least(int m) {
    float least = Float.POSITIVE_INFINITY;
    for (int i = m * PqKernels.CODEBOOK_SIZE; i < (m + 1) * PqKernels.CODEBOOK_SIZE; i++) {
      least = Math.min(least, entries[i]);
    }
    return least;
  }

  /** The 7-bit table {@code [subQuantizer][centroid]} last filled; larger is nearer. */
  public byte[] levels() {
    return levels;
  }

  /**
   * What a code with levels of 0 scores after {@link #fillProjected}. Sums of levels of one table
   * can be compared as they are; to compare those of different points, {@code floor() + sum *
   * step()} is minus half the squared distance in the projected space.
   */
  public double floor() {
    double sum = -bias;
    for (float minimum : minima) {
      sum += minimum;
    }
    return sum / quantizer.squaredComponentLength();
  }

  /**
   * What one level is worth: as minus half a squared distance, or as a product of two vectors after
   * {@link #fill} for a metric of products. 0 when all codes are alike to the query.
   */
  public double step() {
    return scale > 0 ? unit / (scale * quantizer.squaredComponentLength()) : 0;
  }

  /**
   * Length of the query of the last {@link #fill(float[])} in the projected space, across the mean
   * of all vectors and in levels: what {@link ProductSpread} is a multiple of. 0 where distances
   * count.
   */
  public double length() {
    return length * scale;
  }

  /**
   * Estimated distance of the query to a code, from the unquantized table: squared Euclidean
   * distance within the projected space, or the negative inner product of a query of the other
   * metrics; smaller is nearer.
   *
   * @param codes the code starts at {@code offset}
   */
  public float distance(byte[] codes, int offset) {
    float sum = 0;
    for (int m = 0; m < minima.length; m++) {
      sum += entries[m * PqKernels.CODEBOOK_SIZE + (codes[offset + m] & 0xFF)];
    }
    double length = quantizer.squaredComponentLength();
    return euclidean
        ? (float) (Math.max(0, 2 * ((double) bias - sum)) / length)
        : (float) (-(bias + sum / length) * unit);
  }
}
