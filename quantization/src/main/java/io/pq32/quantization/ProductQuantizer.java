package io.pq32.quantization;

import java.io.IOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * A trained product quantizer: learned projection, codebooks, and what follows from them.
 *
 * <p>A vector {@code x} is centered, projected, cut into sub-vectors, and each sub-vector is
 * replaced by the number of its nearest centroid (Jegou, Douze, Schmid: Product Quantization for
 * Nearest Neighbor Search, 2011), or of one near it where products decide ({@link
 * AnisotropicCodes}). The projection is the PCA of the training sample with the components dealt to
 * the sub-quantizers so that each carries the same share of log-variance (the parametric solution
 * of Ge, He, Ke, Sun: Optimized Product Quantization, 2013).
 *
 * <p>Immutable and safe for use by several threads; scratch lives in {@link ProjectionBatch} and
 * {@link AdcTable}.
 */
public final class ProductQuantizer {
  private final PqLayout layout;
  private final Metric metric;
  private final byte[] bytes; // CompactForm
  private final float[] mean; // [dimension]
  private final Projection projection;
  private final Codebooks codebooks;
  private final float[] halfNorms; // [subQuantizer][centroid]
  private final int[] far; // subQuantizer * CODEBOOK_SIZE + centroid, ascending: see far()
  private final float[] projectedMean; // [projectedDimension]
  private final float[] meanProducts; // [subQuantizer][centroid]
  private final double squaredComponentLength;
  private final double reach; // see reach()
  private final double squaredProjectedMean;

  private ProductQuantizer(PqLayout layout, Metric metric, byte[] bytes) {
    this.layout = layout;
    this.metric = metric;
    this.bytes = bytes;
    CompactForm form = CompactForm.read(layout, bytes);
    this.mean = form.mean();
    this.projection = form.projection();
    this.codebooks = form.codebooks();
    this.halfNorms = codebooks.halfNorms(layout);
    this.far = far(halfNorms, layout);
    this.reach = reach(halfNorms, layout);
    this.squaredComponentLength = projection.squaredComponentLength();
    this.meanProducts = new float[halfNorms.length];
    this.projectedMean = new float[layout.projectedDimension()];
    projection.one(mean, projectedMean);
    this.squaredProjectedMean =
        PqKernels.instance().dot(projectedMean, 0, projectedMean, 0, projectedMean.length);
    codebooks.innerProducts(
        layout, projectedMean, 0, new float[projectedMean.length], meanProducts);
  }

  /**
   * Centroids whose squared norm is many times the median of their sub-quantizer: twice as many as
   * normal values reach, which are 35 in one dimension, 13 in two, 7 in four and 4 in eight.
   */
  private static int[] far(float[] halfNorms, PqLayout layout) {
    float most = 8 + 64f / layout.subDimension();
    int[] far = new int[halfNorms.length];
    int count = 0;
    for (int m = 0; m < layout.subQuantizers(); m++) {
      int from = m * PqKernels.CODEBOOK_SIZE;
      int to = from + PqKernels.CODEBOOK_SIZE;
      float[] sorted = Arrays.copyOfRange(halfNorms, from, to);
      Arrays.sort(sorted);
      float limit = most * sorted[PqKernels.CODEBOOK_SIZE / 2];
      for (int i = from; i < to; i++) {
        if (halfNorms[i] > limit) {
          far[count++] = i;
        }
      }
    }
    return Arrays.copyOf(far, count);
  }

  private static double reach(float[] halfNorms, PqLayout layout) {
    double sum = 0;
    for (int m = 0; m < layout.subQuantizers(); m++) {
      float longest = 0;
      for (int centroid = 0; centroid < PqKernels.CODEBOOK_SIZE; centroid++) {
        longest = Math.max(longest, halfNorms[m * PqKernels.CODEBOOK_SIZE + centroid]);
      }
      sum += 2.0 * longest;
    }
    return Math.sqrt(sum);
  }

  /** How vectors are cut. */
  public PqLayout layout() {
    return layout;
  }

  /** What nearness means. */
  public Metric metric() {
    return metric;
  }

  /** Bytes of the serialized form of a quantizer of this layout; see {@link #toBytes()}. */
  public static int byteSize(PqLayout layout) {
    return CompactForm.byteSize(layout);
  }

  /**
   * Mean, projection and codebooks, the latter two as signed integers of few bits:
   *
   * <ul>
   *   <li>mean: float32 {@code [dimension]}
   *   <li>projection: float32 scale {@code [projectedDimension]}, then integers of 10 bits {@code
   *       [dimension][projectedDimension]}; a value is 1/511 of that times the scale of its column
   *   <li>codebooks: float32 scale {@code [subQuantizer][subDimension]}, then integers of 8 bits
   *       {@code [subQuantizer][subDimension][centroid]}; a value is 1/127 of that times the scale
   *       of its row
   * </ul>
   *
   * Integers are in two's complement and follow each other without gaps; four of 10 bits share five
   * bytes, the first has the lowest bits. All numbers are little endian. Layout and metric are the
   * reader's to know.
   */
  public byte[] toBytes() {
    return bytes.clone();
  }

  /**
   * The quantizer that {@link #toBytes()} wrote.
   *
   * @throws IllegalArgumentException when the length is not that of the layout or a value is not
   *     finite
   */
  public static ProductQuantizer fromBytes(PqLayout layout, Metric metric, byte[] bytes) {
    if (bytes.length != byteSize(layout)) {
      throw new IllegalArgumentException(
          "a quantizer of " + layout + " has " + byteSize(layout) + " bytes; got " + bytes.length);
    }
    return new ProductQuantizer(layout, metric, bytes.clone());
  }

  /** The quantizer of trained parts, which are rounded to what can be stored. */
  static ProductQuantizer of(
      PqLayout layout, Metric metric, float[] mean, float[] projection, float[] codebooks) {
    return new ProductQuantizer(
        layout, metric, CompactForm.write(layout, mean, projection, codebooks));
  }

  /** Identity: the first 16 bytes of the SHA-256 of {@link #toBytes()}, in hexadecimal. */
  public String id() {
    return id(bytes);
  }

  /** {@link #id()} of a serialized quantizer. */
  public static String id(byte[] bytes) {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(bytes);
      return HexFormat.of().formatHex(digest, 0, 16);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-256", e);
    }
  }

  /** Heap bytes of the arrays held. */
  public long ramBytesUsed() {
    return bytes.length
        + projection.ramBytesUsed()
        + codebooks.ramBytesUsed()
        + (long) Integer.BYTES * far.length
        + Float.BYTES
            * ((long) mean.length + projectedMean.length + halfNorms.length + meanProducts.length);
  }

  /** A new batch for up to {@code capacity} vectors; it belongs to one thread. */
  public ProjectionBatch newBatch(int capacity) {
    return new ProjectionBatch(this, capacity);
  }

  /** A new table for queries; it has scratch and belongs to one thread. */
  public AdcTable newTable() {
    return new AdcTable(this);
  }

  /** The code of one vector. {@link ProjectionBatch} does many. */
  public byte[] encode(float[] vector) {
    byte[] code = new byte[layout.codeBytes()];
    ProjectionBatch batch = newBatch(1);
    batch.add(vector);
    batch.project();
    batch.encode(code, 0);
    return code;
  }

  /**
   * The code of a point of the projected space: of each sub-quantizer the centroid nearest to it.
   *
   * @param projected {@code [subQuantizer][subDimension]}, from {@code offset}
   * @param code receives {@link PqLayout#codeBytes()} bytes from {@code codeOffset} on
   */
  public void encodeProjected(float[] projected, int offset, byte[] code, int codeOffset) {
    encodeProjected(projected, offset, 1, code, codeOffset);
  }

  /** Codes of {@code projected [count][subQuantizer][subDimension]}. */
  void encodeProjected(float[] projected, int offset, int count, byte[] codes, int codesOffset) {
    int subDimension = layout.subDimension();
    for (int m = 0; m < layout.subQuantizers(); m++) {
      PqKernels.instance()
          .nearest(
              projected,
              offset + m * subDimension,
              layout.projectedDimension(),
              count,
              codebooks.floats(),
              m * subDimension * PqKernels.CODEBOOK_SIZE,
              subDimension,
              halfNorms,
              m * PqKernels.CODEBOOK_SIZE,
              codes,
              codesOffset + m,
              layout.codeBytes());
    }
  }

  /** Lets each sub-quantizer choose its centroids again; see {@link PqKernels#refine}. */
  void refine(
      float[] projected,
      float[] directions,
      int count,
      float weight,
      float[] errors,
      byte[] codes,
      int codesOffset) {
    int subDimension = layout.subDimension();
    for (int m = 0; m < layout.subQuantizers(); m++) {
      PqKernels.instance()
          .refine(
              projected,
              directions,
              m * subDimension,
              layout.projectedDimension(),
              count,
              codebooks.floats(),
              m * subDimension * PqKernels.CODEBOOK_SIZE,
              subDimension,
              halfNorms,
              m * PqKernels.CODEBOOK_SIZE,
              weight,
              errors,
              codes,
              codesOffset + m,
              layout.codeBytes());
    }
  }

  /**
   * Adds the point of the projected space that a code stands for; sums of some codes over their
   * number are the point that {@link #encodeProjected} and {@link AdcTable#fillProjected} take.
   *
   * @param codes the code starts at {@code offset}
   * @param sums {@code [subQuantizer][subDimension]}, from {@code sumsOffset}
   */
  public void addDecodedTo(byte[] codes, int offset, float[] sums, int sumsOffset) {
    int subDimension = layout.subDimension();
    for (int m = 0; m < layout.subQuantizers(); m++) {
      int centroid = codes[offset + m] & 0xFF;
      for (int row = m * subDimension; row < (m + 1) * subDimension; row++) {
        sums[sumsOffset + row] += codebooks.value(row, centroid);
      }
    }
  }

  /**
   * The vector a code stands for, in the space of the stored vectors (for {@link Metric#COSINE}: of
   * the vectors scaled to unit length). What the projection dropped is the mean's.
   */
  public float[] decode(byte[] code) {
    requireCode(code);
    float[] projected = new float[layout.projectedDimension()];
    addDecodedTo(code, 0, projected, 0);
    // Components are orthogonal and of one length, so the transpose of the projection undoes it up
    // to the square of that length.
    float[] vector = mean.clone();
    for (int i = 0; i < vector.length; i++) {
      double sum = 0;
      for (int j = 0; j < projected.length; j++) {
        sum += (double) projection.value(i * projected.length + j) * projected[j];
      }
      vector[i] += (float) (sum / squaredComponentLength);
    }
    return vector;
  }

  /**
   * Symmetric distance: that of the two vectors the codes stand for; the squared Euclidean
   * distance, or the negative inner product for the other metrics. Smaller is nearer.
   */
  public float distance(byte[] a, byte[] b) {
    requireCode(a);
    requireCode(b);
    float[] x = decode(a);
    float[] y = decode(b);
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      sum += metric == Metric.EUCLIDEAN ? square((double) x[i] - y[i]) : -(double) x[i] * y[i];
    }
    return (float) sum;
  }

  /**
   * How much of the spread of some vectors do their codes lose? The mean squared distance between a
   * vector and what its code stands for, as a share of the mean squared distance between a vector
   * and the mean of all: 0 is lossless, 1 is what one centroid for all would lose.
   *
   * @param ords which vectors of the source; the share of none, or of equal vectors, is 0. Those
   *     that training would leave out as outliers do not count: one of them would be all the spread
   *     and all the loss.
   */
  public double distortion(VectorSource source, int[] ords) throws IOException {
    int dimension = layout.dimension();
    ords = PqTrainer.withoutOutliers(source, ords, dimension, metric);
    ProjectionBatch batch = newBatch(32);
    byte[] codes = new byte[batch.capacity() * layout.codeBytes()];
    float[] vector = new float[dimension];
    double[] sum = new double[dimension];
    double squares = 0;
    double lost = 0;
    for (int i = 0; i < ords.length; i++) {
      source.copy(ords[i], vector, 0);
      batch.add(vector);
      if (batch.count() == batch.capacity() || i == ords.length - 1) {
        batch.project();
        batch.encode(codes, 0);
        float[] centered = batch.vectors();
        for (int j = 0; j < batch.count() * dimension; j++) {
          sum[j % dimension] += centered[j];
          squares += square(centered[j]);
        }
        lost += squaredDistanceBeyondMean(batch, codes);
        batch.clear();
      }
    }
    double squaredMean = 0;
    for (double value : sum) {
      squaredMean += square(value / ords.length);
    }
    double spread = squares / ords.length - squaredMean;
    return spread > 0 ? Math.max(0, squares + lost) / ords.length / spread : 0;
  }

  /**
   * Sum over a batch of the squared distance to the decoded vector less the squared distance to the
   * mean: the share that the projection drops is in both.
   */
  private double squaredDistanceBeyondMean(ProjectionBatch batch, byte[] codes) {
    int columns = layout.projectedDimension();
    float[] projected = batch.projected();
    double sum = 0;
    for (int i = 0; i < batch.count(); i++) {
      for (int row = 0; row < columns; row++) {
        int centroid = codes[i * layout.codeBytes() + row / layout.subDimension()] & 0xFF;
        double value = codebooks.value(row, centroid);
        sum += value * (value - 2 * projected[i * columns + row]);
      }
    }
    return sum / squaredComponentLength;
  }

  private static double square(double x) {
    return x * x;
  }

  /** Squared length of every component of the projection. */
  double squaredComponentLength() {
    return squaredComponentLength;
  }

  private void requireCode(byte[] code) {
    if (code.length != layout.codeBytes()) {
      throw new IllegalArgumentException(
          "code must have " + layout.codeBytes() + " bytes; got " + code.length);
    }
  }

  float[] mean() {
    return mean;
  }

  float[] halfNorms() {
    return halfNorms;
  }

  Codebooks codebooks() {
    return codebooks;
  }

  /**
   * Centroids, as {@code subQuantizer * CODEBOOK_SIZE + centroid}, ascending, that stand for a few
   * vectors far away from all others; less than half of each sub-quantizer.
   */
  int[] far() {
    return far;
  }

  /** Length, in the projected space, of the longest point that a code stands for. */
  double reach() {
    return reach;
  }

  float[] projectedMean() {
    return projectedMean;
  }

  /** Squared length of the projected mean. */
  double squaredProjectedMean() {
    return squaredProjectedMean;
  }

  /** Inner products of the projected mean with the centroids, {@code [subQuantizer][centroid]}. */
  float[] meanProducts() {
    return meanProducts;
  }

  /** Inner product of a vector with the mean. */
  float productWithMean(float[] vectors, int offset) {
    return PqKernels.instance().dot(vectors, offset, mean, 0, mean.length);
  }

  /** Inner product of a centered vector, before centering, with the mean. */
  float productWithMeanOfCentered(float[] centered, int offset) {
    return productWithMean(centered, offset) + productWithMean(mean, 0);
  }

  void normalizeIfCosine(float[] vectors, int offset) {
    if (metric == Metric.COSINE) {
      normalize(vectors, offset, layout.dimension());
    }
  }

  /** Scales to unit length in double precision; a zero vector stays zero. */
  static void normalize(float[] vectors, int offset, int dimension) {
    double sum = 0;
    for (int i = offset; i < offset + dimension; i++) {
      sum += (double) vectors[i] * vectors[i];
    }
    if (sum > 0) {
      double factor = 1 / Math.sqrt(sum);
      for (int i = offset; i < offset + dimension; i++) {
        vectors[i] = (float) (vectors[i] * factor);
      }
    }
  }

  /** Subtracts the mean from {@code vectors [count][dimension]}. */
  void center(float[] vectors, int count) {
    int dimension = layout.dimension();
    for (int i = 0; i < count; i++) {
      int offset = i * dimension;
      for (int d = 0; d < dimension; d++) {
        // Two opposite floats of the largest magnitude are further apart than a float can say.
        vectors[offset + d] =
            Math.clamp(vectors[offset + d] - mean[d], -Float.MAX_VALUE, Float.MAX_VALUE);
      }
    }
  }

  /** Projects {@code vectors [count][dimension]} to {@code out [count][projectedDimension]}. */
  void project(float[] vectors, int count, float[] out) {
    projection.batch(vectors, count, out);
  }

  /** Projects a query, {@code [dimension]} to {@code [projectedDimension]}: faster, not encoded. */
  void projectQuery(float[] query, float[] out) {
    projection.one(query, out);
  }
}
