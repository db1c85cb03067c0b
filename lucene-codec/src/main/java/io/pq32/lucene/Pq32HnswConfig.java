package io.pq32.lucene;

/**
 * How {@link Pq32HnswVectorsFormat} builds a segment. Every value that reading needs is written
 * into the segment, so a reader never depends on the configuration of the process that opens it.
 *
 * @param maxConn neighbours per node of the graph's upper bound on new links, 2 to 512; level 0
 *     holds twice as many (Malkov and Yashunin 2018 call it M)
 * @param beamWidth candidates held while a node is inserted, {@code maxConn} to 3200 (the paper's
 *     efConstruction)
 * @param bytesPerVector sub-quantizers of 8 bits, and so code bytes of a vector: 16, 32, 48, 64 or
 *     96
 * @param minQuantizedCount vectors a segment needs before a codebook is trained for it; a smaller
 *     one for which no codebook is known stores floats only and is scanned exactly
 * @param graphThreshold vectors from which a segment gets a graph; below, its codes are scanned. Of
 *     synthetic vectors of 128 dimensions, a scan of the blocks near the query answers 1.57 times
 *     as many queries as a walk at recall .95 where there are a million, 1.45 times where there are
 *     two, and .88 times where there are four: the default. It keeps 37 bytes per vector where the
 *     graph keeps 69, and is written in half of the time
 */
public record Pq32HnswConfig(
    int maxConn, int beamWidth, int bytesPerVector, int minQuantizedCount, int graphThreshold) {

  /** Least {@code maxConn}. */
  public static final int MIN_MAX_CONN = 2;

  /** Largest {@code maxConn}, as in Lucene's own HNSW. */
  public static final int MAX_MAX_CONN = 512;

  /** Largest {@code beamWidth}, as in Lucene's own HNSW. */
  public static final int MAX_BEAM_WIDTH = 3200;

  /** The defaults. */
  public static final Pq32HnswConfig DEFAULT = new Pq32HnswConfig(16, 100, 32, 2048, 4_000_000);

  /** Rejects values out of range, naming parameter, value and bound. */
  public Pq32HnswConfig {
    check("maxConn", maxConn, MIN_MAX_CONN, MAX_MAX_CONN);
    check("beamWidth", beamWidth, maxConn, MAX_BEAM_WIDTH);
    if (bytesPerVector != 16
        && bytesPerVector != 32
        && bytesPerVector != 48
        && bytesPerVector != 64
        && bytesPerVector != 96) {
      throw new IllegalArgumentException(
          "bytesPerVector must be one of 16, 32, 48, 64, 96; got " + bytesPerVector);
    }
    check("minQuantizedCount", minQuantizedCount, 1, Integer.MAX_VALUE);
    check("graphThreshold", graphThreshold, 1, Integer.MAX_VALUE);
  }

  private static void check(String name, int value, int min, int max) {
    if (value < min || value > max) {
      throw new IllegalArgumentException(
          name + " must be between " + min + " and " + max + "; got " + value);
    }
  }

  /** These values with another shape of graph: both at once, as one bounds the other. */
  public Pq32HnswConfig withGraph(int maxConn, int beamWidth) {
    return new Pq32HnswConfig(
        maxConn, beamWidth, bytesPerVector, minQuantizedCount, graphThreshold);
  }

  /** These values with another {@code maxConn}. */
  public Pq32HnswConfig withMaxConn(int value) {
    return new Pq32HnswConfig(value, beamWidth, bytesPerVector, minQuantizedCount, graphThreshold);
  }

  /** These values with another {@code beamWidth}. */
  public Pq32HnswConfig withBeamWidth(int value) {
    return new Pq32HnswConfig(maxConn, value, bytesPerVector, minQuantizedCount, graphThreshold);
  }

  /** These values with another {@code bytesPerVector}. */
  public Pq32HnswConfig withBytesPerVector(int value) {
    return new Pq32HnswConfig(maxConn, beamWidth, value, minQuantizedCount, graphThreshold);
  }

  /** These values with another {@code minQuantizedCount}. */
  public Pq32HnswConfig withMinQuantizedCount(int value) {
    return new Pq32HnswConfig(maxConn, beamWidth, bytesPerVector, value, graphThreshold);
  }

  /** These values with another {@code graphThreshold}. */
  public Pq32HnswConfig withGraphThreshold(int value) {
    return new Pq32HnswConfig(maxConn, beamWidth, bytesPerVector, minQuantizedCount, value);
  }
}
