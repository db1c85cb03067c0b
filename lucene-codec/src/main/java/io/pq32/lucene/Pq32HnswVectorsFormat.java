package io.pq32.lucene;

import java.io.IOException;
import org.apache.lucene.codecs.KnnVectorsFormat;
import org.apache.lucene.codecs.KnnVectorsReader;
import org.apache.lucene.codecs.KnnVectorsWriter;
import org.apache.lucene.index.SegmentReadState;
import org.apache.lucene.index.SegmentWriteState;

/** Vectors format with 32-byte codes; in this first step it delegates to Lucene's HNSW. */
public final class Pq32HnswVectorsFormat extends KnnVectorsFormat {
  /** SPI name, the simple class name. */
  public static final String NAME = "Pq32HnswVectorsFormat";

  /** Largest dimension of a field. */
  public static final int MAX_DIMENSIONS = 4096;

  private final Pq32HnswConfig config;
  private final RawVectors rawVectors;
  private final CodebookCache cache = new CodebookCache();

  /** For SPI and for reading, with the default configuration. */
  public Pq32HnswVectorsFormat() {
    this(Pq32HnswConfig.DEFAULT);
  }

  /** Writes new segments with the given configuration. */
  public Pq32HnswVectorsFormat(Pq32HnswConfig config) {
    super(NAME);
    this.config = config;
    this.rawVectors = new RawVectors(config);
  }

  @Override
  public KnnVectorsWriter fieldsWriter(SegmentWriteState state) throws IOException {
    return new Pq32VectorsWriter(state, config, cache, rawVectors);
  }

  @Override
  public KnnVectorsReader fieldsReader(SegmentReadState state) throws IOException {
    return new Pq32VectorsReader(state, rawVectors, SearchPlan.Costs.MEASURED);
  }

  @Override
  public int getMaxDimensions(String fieldName) {
    return MAX_DIMENSIONS;
  }

  @Override
  public String toString() {
    return NAME + "(" + config + ")";
  }
}
