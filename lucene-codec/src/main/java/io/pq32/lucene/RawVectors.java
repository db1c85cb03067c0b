package io.pq32.lucene;

import java.io.IOException;
import org.apache.lucene.codecs.KnnVectorsFormat;
import org.apache.lucene.codecs.KnnVectorsReader;
import org.apache.lucene.codecs.KnnVectorsWriter;
import org.apache.lucene.codecs.hnsw.FlatVectorScorerUtil;
import org.apache.lucene.codecs.hnsw.FlatVectorsReader;
import org.apache.lucene.codecs.hnsw.FlatVectorsScorer;
import org.apache.lucene.codecs.hnsw.FlatVectorsWriter;
import org.apache.lucene.codecs.lucene99.Lucene99FlatVectorsFormat;
import org.apache.lucene.codecs.lucene99.Lucene99HnswVectorsFormat;
import org.apache.lucene.index.FloatVectorValues;
import org.apache.lucene.index.SegmentReadState;
import org.apache.lucene.index.SegmentWriteState;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.apache.lucene.util.hnsw.RandomVectorScorerSupplier;

/**
 * What is left to Lucene: the full float vectors, and byte vectors altogether. The files of the
 * latter carry a suffix of their own so that both can stand in one segment.
 */
final class RawVectors {
  private static final String BYTES_SUFFIX = "bytes";

  /**
   * Without Lucene's wrapper that prefetches what is scored in bulk: from a cold disk queries took
   * 13 milliseconds with it and without (60,000 vectors, 100 queries), and warm ones a fortieth
   * longer. Nor did it clearly pay to ask for a hundred candidates ahead: of a million vectors,
   * none of them in the page cache, the median query took 3.4 ms instead of 4.5 in one run and 2.5
   * instead of 1.7 in another, whose slowest tenth took three times as long.
   */
  private final FlatVectorsScorer scorer = FlatVectorScorerUtil.getLucene99FlatVectorsScorer();

  private final Lucene99FlatVectorsFormat floats = new Lucene99FlatVectorsFormat(scorer);
  private final KnnVectorsFormat bytes;

  RawVectors(Pq32HnswConfig config) {
    bytes = new Lucene99HnswVectorsFormat(config.maxConn(), config.beamWidth());
  }

  FlatVectorsWriter writer(SegmentWriteState state) throws IOException {
    return floats.fieldsWriter(state);
  }

  FlatVectorsReader reader(SegmentReadState state) throws IOException {
    return floats.fieldsReader(state);
  }

  /** Scorers of full vectors against each other. */
  RandomVectorScorerSupplier scorers(VectorSimilarityFunction function, FloatVectorValues values)
      throws IOException {
    return DefinedScores.of(scorer.getRandomVectorScorerSupplier(function, values));
  }

  KnnVectorsWriter bytesWriter(SegmentWriteState state) throws IOException {
    return bytes.fieldsWriter(new SegmentWriteState(state, bytesSuffix(state.segmentSuffix)));
  }

  KnnVectorsReader bytesReader(SegmentReadState state) throws IOException {
    return bytes.fieldsReader(new SegmentReadState(state, bytesSuffix(state.segmentSuffix)));
  }

  private static String bytesSuffix(String suffix) {
    return suffix.isEmpty() ? BYTES_SUFFIX : suffix + "_" + BYTES_SUFFIX;
  }
}
