package io.pq32.benchmarks;

import java.io.IOException;
import java.nio.file.Path;
import org.apache.lucene.codecs.KnnVectorsFormat;
import org.apache.lucene.codecs.KnnVectorsReader;
import org.apache.lucene.codecs.KnnVectorsWriter;
import org.apache.lucene.codecs.lucene104.Lucene104Codec;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.KnnFloatVectorField;
import org.apache.lucene.document.NumericDocValuesField;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.NoMergePolicy;
import org.apache.lucene.index.SegmentReadState;
import org.apache.lucene.index.SegmentWriteState;
import org.apache.lucene.index.SerialMergeScheduler;
import org.apache.lucene.index.TieredMergePolicy;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.MMapDirectory;

/**
 * Writes an index of Lucene. Everything, merges too, runs on the calling thread, so documents per
 * second are those of one processor.
 */
final class LuceneBuild {
  /** Documents between two reports of progress: too rare to be felt, often enough to be seen. */
  private static final int REPORT_EVERY = 64;

  private LuceneBuild() {}

  static BuildTime run(
      VectorSet base,
      Similarity similarity,
      DocumentFields fields,
      KnnVectorsFormat format,
      BuildSettings settings,
      Path folder,
      String task,
      Progress.Factory progress)
      throws IOException {
    try (Directory directory = new MMapDirectory(folder);
        IndexWriter writer = new IndexWriter(directory, config(format, settings))) {
      long start = System.nanoTime();
      try (Progress adding = progress.start(task, base.size())) {
        addAll(base, similarity, fields, settings.segments(), writer, adding);
      }
      long indexed = System.nanoTime();
      if (settings.segments() == 1) {
        try (Progress _ = progress.start(task + ", merge")) {
          writer.forceMerge(1);
        }
      }
      writer.commit();
      return new BuildTime((indexed - start) / 1e9, (System.nanoTime() - indexed) / 1e9);
    }
  }

  private static void addAll(
      VectorSet base,
      Similarity similarity,
      DocumentFields fields,
      int segments,
      IndexWriter writer,
      Progress progress)
      throws IOException {
    float[] vector = base.get(0); // a field of zeros would be refused under cosine
    KnnFloatVectorField vectorField =
        new KnnFloatVectorField(LuceneIndex.FIELD, vector, similarity.function);
    NumericDocValuesField idField = new NumericDocValuesField(LuceneIndex.ID_FIELD, 0);
    int segment = 1;
    for (int id = 0; id < base.size(); id++) {
      base.copy(id, vector);
      vectorField.setVectorValue(vector);
      idField.setLongValue(id);
      Document document = new Document();
      document.add(vectorField);
      document.add(idField);
      fields.of(base.row(id)).forEach(document::add);
      writer.addDocument(document);
      if (id + 1 == (long) segment * base.size() / segments) {
        writer.flush();
        segment++;
      }
      if (id % REPORT_EVERY == REPORT_EVERY - 1) {
        progress.step(REPORT_EVERY);
      }
    }
  }

  private static IndexWriterConfig config(KnnVectorsFormat vectorsFormat, BuildSettings settings) {
    KnnVectorsFormat format = new AnyDimension(vectorsFormat);
    IndexWriterConfig config =
        new IndexWriterConfig()
            .setCodec(
                new Lucene104Codec() {
                  @Override
                  public KnnVectorsFormat getKnnVectorsFormatForField(String field) {
                    return format;
                  }
                })
            // Separate files tell what each part of an index weighs.
            .setUseCompoundFile(false)
            .setMergeScheduler(new SerialMergeScheduler());
    if (settings.segments() == 1) {
      TieredMergePolicy mergePolicy = new TieredMergePolicy();
      mergePolicy.setNoCFSRatio(0);
      return config.setMergePolicy(mergePolicy).setRAMBufferSizeMB(settings.ramBufferMb());
    }
    return config
        .setMergePolicy(NoMergePolicy.INSTANCE)
        .setMaxBufferedDocs(Integer.MAX_VALUE)
        .setRAMBufferSizeMB(IndexWriterConfig.DISABLE_AUTO_FLUSH);
  }

  /**
   * The format without its own limit: Lucene's write and read more than 1024 dimensions as well.
   */
  private static final class AnyDimension extends KnnVectorsFormat {
    private final KnnVectorsFormat in;

    AnyDimension(KnnVectorsFormat in) {
      super(in.getName());
      this.in = in;
    }

    @Override
    public KnnVectorsWriter fieldsWriter(SegmentWriteState state) throws IOException {
      return in.fieldsWriter(state);
    }

    @Override
    public KnnVectorsReader fieldsReader(SegmentReadState state) throws IOException {
      return in.fieldsReader(state);
    }

    @Override
    public int getMaxDimensions(String field) {
      return Integer.MAX_VALUE;
    }
  }
}
