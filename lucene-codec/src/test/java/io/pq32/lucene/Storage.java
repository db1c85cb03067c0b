package io.pq32.lucene;

/** The three states of a segment, each forced for small ones too. */
enum Storage {
  /** Floats only. */
  FLOATS(Pq32HnswConfig.DEFAULT.withMinQuantizedCount(Integer.MAX_VALUE)),
  /** Codes that are scanned. */
  CODES(Pq32HnswConfig.DEFAULT.withMinQuantizedCount(1).withGraphThreshold(Integer.MAX_VALUE)),
  /** Codes and a graph. */
  GRAPH(Pq32HnswConfig.DEFAULT.withMinQuantizedCount(1).withGraphThreshold(100));

  final Pq32HnswConfig config;

  Storage(Pq32HnswConfig config) {
    this.config = config;
  }
}
