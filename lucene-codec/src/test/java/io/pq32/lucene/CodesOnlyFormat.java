package io.pq32.lucene;

import java.io.IOException;
import org.apache.lucene.codecs.KnnVectorsFormat;
import org.apache.lucene.codecs.KnnVectorsReader;
import org.apache.lucene.codecs.KnnVectorsWriter;
import org.apache.lucene.index.SegmentReadState;
import org.apache.lucene.index.SegmentWriteState;

/**
 * The format with a plan that never scans floats where there are codes and never scans codes where
 * there is a graph, so that tests walk graphs that are far too small to be worth it.
 */
public final class CodesOnlyFormat extends KnnVectorsFormat {
  static final SearchPlan.Costs COSTS = new SearchPlan.Costs(1 << 20, 0, 1 << 10, 0, 0);

  private final Pq32HnswConfig config;
  private final KnnVectorsFormat writing;

  /** For SPI. */
  public CodesOnlyFormat() {
    this(Pq32HnswConfig.DEFAULT);
  }

  CodesOnlyFormat(Pq32HnswConfig config) {
    super("CodesOnlyFormat");
    this.config = config;
    this.writing = new Pq32HnswVectorsFormat(config);
  }

  @Override
  public KnnVectorsWriter fieldsWriter(SegmentWriteState state) throws IOException {
    return writing.fieldsWriter(state);
  }

  @Override
  public KnnVectorsReader fieldsReader(SegmentReadState state) throws IOException {
    return new Pq32VectorsReader(state, new RawVectors(config), COSTS);
  }

  @Override
  public int getMaxDimensions(String fieldName) {
    return Pq32HnswVectorsFormat.MAX_DIMENSIONS;
  }
}
