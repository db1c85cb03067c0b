package io.pq32.quantization;

/**
 * Vectors centered and projected together: the matrix kernel is three times as fast per vector on a
 * batch as on one. Reused by one thread.
 */
public final class ProjectionBatch {
  private final ProductQuantizer quantizer;
  private final int capacity;
  private final float[] vectors; // [vector][dimension], centered by project()
  private final float[] projected; // [vector][projectedDimension]
  private int count;

  ProjectionBatch(ProductQuantizer quantizer, int capacity) {
    this.quantizer = quantizer;
    this.capacity = capacity;
    this.vectors = new float[capacity * quantizer.layout().dimension()];
    this.projected = new float[capacity * quantizer.layout().projectedDimension()];
  }

  /** Vectors the batch has room for. */
  public int capacity() {
    return capacity;
  }

  /** Vectors in the batch. */
  public int count() {
    return count;
  }

  /** Empties the batch. */
  public void clear() {
    count = 0;
  }

  /** Adds a vector; {@link #project()} comes after the last one. */
  public void add(float[] vector) {
    int dimension = quantizer.layout().dimension();
    if (vector.length != dimension) {
      throw new IllegalArgumentException(
          "vector must have dimension " + dimension + "; got " + vector.length);
    }
    if (count == capacity) {
      throw new IllegalStateException("the batch holds " + capacity + " vectors already");
    }
    System.arraycopy(vector, 0, vectors, count * dimension, dimension);
    quantizer.normalizeIfCosine(vectors, count * dimension);
    count++;
  }

  /** Centers and projects what was added. */
  public void project() {
    quantizer.center(vectors, count);
    quantizer.project(vectors, count, projected);
  }

  /** Does {@link #project()} for a batch of one query, which is not going to be encoded. */
  void projectQuery() {
    quantizer.center(vectors, 1);
    quantizer.projectQuery(vectors, projected);
  }

  float[] centered() {
    return vectors;
  }

  float[] projected() {
    return projected;
  }

  /** Code of every vector, to {@code codes [vector][codeBytes]} from {@code offset} on. */
  public void encode(byte[] codes, int offset) {
    quantizer.encodeProjected(projected, 0, count, codes, offset);
  }
}
