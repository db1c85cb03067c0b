package io.pq32.lucene;

import java.util.function.Supplier;
import org.apache.lucene.codecs.KnnVectorsFormat;

/** The states a segment may be in, each forced for small ones too. */
enum Storage {
  /** Floats only. */
  FLOATS(
      () ->
          new Pq32HnswVectorsFormat(
              Pq32HnswConfig.DEFAULT.withMinQuantizedCount(Integer.MAX_VALUE))),
  /** Codes that are scanned. */
  CODES(() -> new Pq32HnswVectorsFormat(Storage.codes())),
  /** Codes and a graph that is walked where that pays. */
  GRAPH(() -> new Pq32HnswVectorsFormat(Storage.graph())),
  /** Codes and a graph that is always walked. */
  WALK(() -> new CodesOnlyFormat(Storage.graph()));

  private final Supplier<KnnVectorsFormat> format;

  Storage(Supplier<KnnVectorsFormat> format) {
    this.format = format;
  }

  /** A new format: it remembers no codebook of another test. */
  KnnVectorsFormat format() {
    return format.get();
  }

  static Pq32HnswConfig codes() {
    return Pq32HnswConfig.DEFAULT.withMinQuantizedCount(1).withGraphThreshold(Integer.MAX_VALUE);
  }

  static Pq32HnswConfig graph() {
    return Pq32HnswConfig.DEFAULT.withMinQuantizedCount(1).withGraphThreshold(100);
  }
}
