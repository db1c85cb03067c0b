package io.pq32.benchmarks;

import java.io.Closeable;
import java.io.IOException;
import java.util.Map;
import org.apache.lucene.codecs.Codec;
import org.apache.lucene.codecs.hnsw.FlatFieldVectorsWriter;
import org.apache.lucene.codecs.hnsw.FlatVectorsFormat;
import org.apache.lucene.codecs.hnsw.FlatVectorsReader;
import org.apache.lucene.index.DocValuesSkipIndexType;
import org.apache.lucene.index.DocValuesType;
import org.apache.lucene.index.FieldInfo;
import org.apache.lucene.index.FieldInfos;
import org.apache.lucene.index.IndexOptions;
import org.apache.lucene.index.SegmentInfo;
import org.apache.lucene.index.SegmentReadState;
import org.apache.lucene.index.SegmentWriteState;
import org.apache.lucene.index.VectorEncoding;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.IOContext;
import org.apache.lucene.util.InfoStream;
import org.apache.lucene.util.StringHelper;
import org.apache.lucene.util.Version;
import org.apache.lucene.util.hnsw.RandomVectorScorer;

/**
 * Vectors as one of Lucene's flat formats stores them, without an index around them: that is the
 * way to a format's own scorer.
 */
final class FlatSegment implements Closeable {
  private static final String FIELD = "vector";

  private final FlatVectorsReader reader;

  private FlatSegment(FlatVectorsReader reader) {
    this.reader = reader;
  }

  /** Writes {@code vectors} to {@code directory} and opens them. */
  static FlatSegment write(FlatVectorsFormat format, Directory directory, float[][] vectors)
      throws IOException {
    FieldInfo field = field(vectors[0].length);
    FieldInfos fields = new FieldInfos(new FieldInfo[] {field});
    SegmentInfo segment =
        new SegmentInfo(
            directory,
            Version.LATEST,
            Version.LATEST,
            "_0",
            vectors.length,
            false,
            false,
            Codec.getDefault(),
            Map.of(),
            StringHelper.randomId(),
            Map.of(),
            null);
    try (var writer =
        format.fieldsWriter(
            new SegmentWriteState(
                InfoStream.NO_OUTPUT, directory, segment, fields, null, IOContext.DEFAULT))) {
      @SuppressWarnings("unchecked")
      var values = (FlatFieldVectorsWriter<float[]>) writer.addField(field);
      for (int doc = 0; doc < vectors.length; doc++) {
        values.addValue(doc, vectors[doc]);
      }
      writer.flush(vectors.length, null);
      writer.finish();
    }
    return new FlatSegment(
        format.fieldsReader(new SegmentReadState(directory, segment, fields, IOContext.DEFAULT)));
  }

  private static FieldInfo field(int dimension) {
    return new FieldInfo(
        FIELD,
        0,
        false,
        false,
        false,
        IndexOptions.NONE,
        DocValuesType.NONE,
        DocValuesSkipIndexType.NONE,
        -1,
        Map.of(),
        0,
        0,
        0,
        dimension,
        VectorEncoding.FLOAT32,
        VectorSimilarityFunction.DOT_PRODUCT,
        false,
        false);
  }

  RandomVectorScorer scorer(float[] query) throws IOException {
    return reader.getRandomVectorScorer(FIELD, query);
  }

  @Override
  public void close() throws IOException {
    reader.close();
  }
}
