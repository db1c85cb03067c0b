package io.pq32.lucene;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.pq32.quantization.CooperativeTasks;
import io.pq32.quantization.ProductQuantizer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import org.apache.lucene.codecs.CodecUtil;
import org.apache.lucene.codecs.KnnFieldVectorsWriter;
import org.apache.lucene.codecs.KnnVectorsWriter;
import org.apache.lucene.codecs.hnsw.FlatFieldVectorsWriter;
import org.apache.lucene.codecs.hnsw.FlatVectorsReader;
import org.apache.lucene.codecs.hnsw.FlatVectorsWriter;
import org.apache.lucene.index.DocsWithFieldSet;
import org.apache.lucene.index.FieldInfo;
import org.apache.lucene.index.FloatVectorValues;
import org.apache.lucene.index.MergeState;
import org.apache.lucene.index.SegmentReadState;
import org.apache.lucene.index.SegmentWriteState;
import org.apache.lucene.index.Sorter;
import org.apache.lucene.index.VectorEncoding;
import org.apache.lucene.store.IndexOutput;
import org.apache.lucene.util.IORunnable;
import org.apache.lucene.util.IOUtils;
import org.apache.lucene.util.RamUsageEstimator;
import org.apache.lucene.util.hnsw.RandomVectorScorerSupplier;

/** Writes the vectors of one segment: raw floats through Lucene, then codebooks and codes. */
final class Pq32VectorsWriter extends KnnVectorsWriter {
  private static final long SHALLOW_SIZE =
      RamUsageEstimator.shallowSizeOfInstance(Pq32VectorsWriter.class);

  /**
   * Most threads that help one merge, if its scheduler has them: what a batch of the graph has work
   * for. The pool may be that of the merges themselves.
   */
  private static final int MAX_HELPERS = GraphBuilder.TASKS_PER_BATCH - 1;

  private final SegmentWriteState state;
  private final Pq32HnswConfig config;
  private final CodebookCache cache;
  private final CodebookPolicy policy;
  private final RawVectors rawVectors;
  private final List<BufferedField> fields = new ArrayList<>();
  private FlatVectorsWriter raw; // null once the raw vectors of a merge are written
  private FlatVectorsReader mergedRaw; // what they are read back with
  private KnnVectorsWriter bytes; // opened for the first field of byte vectors
  private IndexOutput codesMeta;
  private IndexOutput codes;
  private IndexOutput graphMeta;
  private IndexOutput graphs;
  private boolean finished;

  private record BufferedField(FieldInfo info, FlatFieldVectorsWriter<float[]> vectors) {}

  Pq32VectorsWriter(
      SegmentWriteState state, Pq32HnswConfig config, CodebookCache cache, RawVectors rawVectors)
      throws IOException {
    this.state = state;
    this.config = config;
    this.cache = cache;
    this.policy = new CodebookPolicy(config, state.infoStream);
    this.rawVectors = rawVectors;
    try {
      raw = rawVectors.writer(state);
      codesMeta = SegmentFile.CODES_META.create(state);
      codes = SegmentFile.CODES.create(state);
      graphMeta = SegmentFile.GRAPH_META.create(state);
      graphs = SegmentFile.GRAPH.create(state);
    } catch (Throwable t) {
      IOUtils.closeWhileSuppressingExceptions(t, this);
      throw t;
    }
  }

  @Override
  public KnnFieldVectorsWriter<?> addField(FieldInfo field) throws IOException {
    if (field.getVectorEncoding() == VectorEncoding.BYTE) {
      new CodesMeta.Bytes(field.number).write(codesMeta);
      return bytesWriter().addField(field);
    }
    @SuppressWarnings("unchecked")
    FlatFieldVectorsWriter<float[]> vectors = (FlatFieldVectorsWriter<float[]>) raw.addField(field);
    fields.add(new BufferedField(field, vectors));
    return new FiniteVectors(field, vectors);
  }

  private KnnVectorsWriter bytesWriter() throws IOException {
    if (bytes == null) {
      bytes = rawVectors.bytesWriter(state);
    }
    return bytes;
  }

  @Override
  public void flush(int maxDoc, Sorter.DocMap sortMap) throws IOException {
    raw.flush(maxDoc, sortMap);
    if (bytes != null) {
      bytes.flush(maxDoc, sortMap);
    }
    for (BufferedField field : fields) {
      FloatVectors vectors =
          FloatVectors.buffered(
              field.vectors.getVectors(),
              newToOld(field.vectors.getDocsWithFieldSet(), sortMap),
              field.info.getVectorDimension());
      Codebook known = cache.get(state.directory, field.info.name);
      Codebook codebook =
          chooseCodebook(
              field.info, vectors, known, Codebook.MAX_FLUSH_DRIFT, CooperativeTasks.CALLER_ONLY);
      writeField(
          field.info,
          vectors,
          codebook,
          out -> {
            for (int ord = 0; ord < vectors.size(); ord++) {
              out.add(vectors.values().vectorValue(ord));
            }
            out.finish();
            return null;
          },
          CooperativeTasks.CALLER_ONLY);
    }
  }

  private static int[] newToOld(DocsWithFieldSet docs, Sorter.DocMap sortMap) throws IOException {
    if (sortMap == null) {
      return null;
    }
    int[] newToOld = new int[docs.cardinality()];
    mapOldOrdToNewOrd(docs, sortMap, null, newToOld, null);
    return newToOld;
  }

  @Override
  public IORunnable mergeOneField(FieldInfo field, MergeState mergeState) throws IOException {
    if (field.getVectorEncoding() == VectorEncoding.BYTE) {
      new CodesMeta.Bytes(field.number).write(codesMeta);
      return bytesWriter().mergeOneField(field, mergeState);
    }
    raw.mergeOneFlatVectorField(field, mergeState);
    return () -> {
      try {
        mergeCodes(field, mergeState);
      } catch (UncheckedIOException e) { // of a task: that the merge was aborted
        throw e.getCause();
      }
    };
  }

  private void mergeCodes(FieldInfo field, MergeState mergeState) throws IOException {
    FloatVectorValues values = mergedRaw().getFloatVectorValues(field.name);
    FloatVectors vectors = new FloatVectors(values);
    MergedCodes merged = new MergedCodes(field, mergeState);
    Codebook known = merged.mostUsed();
    if (known == null) {
      known = cache.get(state.directory, field.name);
    }
    CooperativeTasks tasks = tasks(mergeState);
    Codebook codebook = chooseCodebook(field, vectors, known, Codebook.MAX_DRIFT, tasks);
    mergeState.checkAborted();
    writeField(
        field,
        vectors,
        codebook,
        out -> {
          int copied = merged.write(values, codebook, out, mergeState);
          if (state.infoStream.isEnabled(CodebookPolicy.INFO_COMPONENT)) {
            state.infoStream.message(
                CodebookPolicy.INFO_COMPONENT,
                "field "
                    + field.name
                    + ": copied "
                    + copied
                    + " codes of "
                    + vectors.size()
                    + ", encoded the others with codebook "
                    + codebook.id());
          }
          return merged.seed();
        },
        tasks);
  }

  private static CooperativeTasks tasks(MergeState mergeState) {
    Executor executor = mergeState.intraMergeTaskExecutor;
    return new CooperativeTasks(
        executor,
        executor == null ? 0 : MAX_HELPERS,
        () -> {
          try {
            mergeState.checkAborted();
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        });
  }

  /**
   * The raw vectors just merged, which are read back from their file: they never stay on the heap.
   */
  private FlatVectorsReader mergedRaw() throws IOException {
    if (mergedRaw == null) {
      raw.finish();
      FlatVectorsWriter written = raw;
      raw = null;
      written.close();
      mergedRaw =
          rawVectors.reader(
              new SegmentReadState(
                  state.directory,
                  state.segmentInfo,
                  state.fieldInfos,
                  state.context,
                  state.segmentSuffix));
    }
    return mergedRaw;
  }

  private Codebook chooseCodebook(
      FieldInfo field,
      FloatVectors vectors,
      Codebook known,
      double maxDrift,
      CooperativeTasks tasks)
      throws IOException {
    Codebook codebook = policy.choose(field, vectors, known, maxDrift, tasks);
    if (codebook != null) {
      cache.put(state.directory, field.name, codebook);
    }
    return codebook;
  }

  /** Writes all codes of a field. */
  @FunctionalInterface
  private interface CodesSource {
    /** Returns the graph that a graph of these vectors may start with, or null. */
    GraphSeed writeTo(CodeSink out) throws IOException;
  }

  private void writeField(
      FieldInfo field,
      FloatVectors vectors,
      Codebook codebook,
      CodesSource source,
      CooperativeTasks tasks)
      throws IOException {
    if (codebook == null) {
      new CodesMeta.FloatsOnly(field.number).write(codesMeta);
      return;
    }
    ProductQuantizer quantizer = codebook.quantizer();
    long codebookOffset = codes.alignFilePointer(SegmentFile.ALIGNMENT);
    byte[] codebookBytes = quantizer.toBytes();
    codes.writeBytes(codebookBytes, codebookBytes.length);
    long codesOffset = codes.alignFilePointer(SegmentFile.ALIGNMENT);
    boolean walked = vectors.size() >= config.graphThreshold();
    if (state.infoStream.isEnabled(CodebookPolicy.INFO_COMPONENT)) {
      state.infoStream.message(
          CodebookPolicy.INFO_COMPONENT,
          "field "
              + field.name
              + ": "
              + vectors.size()
              + (walked ? " codes get a graph" : " codes in blocks, no graph")
              + ": graphThreshold is "
              + config.graphThreshold());
    }
    long codesLength = (long) vectors.size() * quantizer.layout().codeBytes();
    int[] outliers;
    try (Arena arena = Arena.ofShared()) {
      CodeBlocks blocks = null;
      int[] nodeToOrd;
      GraphSeed seed;
      try (Arena temporary = Arena.ofShared()) {
        MemorySegment byOrd = temporary.allocate(codesLength, SegmentFile.ALIGNMENT);
        CodeSink sink = new CodeSink(quantizer, byOrd);
        seed = source.writeTo(sink);
        outliers = sink.outliers();
        nodeToOrd = LocalityOrder.nodeToOrd(quantizer, byOrd, vectors.size(), tasks);
        if (walked) {
          writeRows(byOrd, nodeToOrd);
          blocks = BlocksWriter.inMemory(arena, quantizer, byOrd, nodeToOrd);
        } else {
          BlocksWriter.write(codes, quantizer, byOrd, nodeToOrd);
        }
      }
      if (walked) {
        writeGraph(field, vectors, quantizer, blocks, nodeToOrd, outliers, seed, tasks);
      }
    }
    new CodesMeta.Codes(
            field.number,
            Similarity.of(field.getVectorSimilarityFunction()),
            quantizer.layout(),
            vectors.size(),
            walked ? CodesMeta.Arrangement.ROWS : CodesMeta.Arrangement.BLOCKS,
            codebook.id(),
            codebook.trainedDistortion(),
            codebookOffset,
            codesOffset,
            outliers)
        .write(codesMeta);
  }

  /** Writes codes in the order of nodes. */
  private void writeRows(MemorySegment byOrd, int[] nodeToOrd) throws IOException {
    byte[] row = new byte[(int) (byOrd.byteSize() / nodeToOrd.length)];
    for (int node = 0; node < nodeToOrd.length; node++) {
      MemorySegment.copy(byOrd, JAVA_BYTE, (long) nodeToOrd[node] * row.length, row, 0, row.length);
      codes.writeBytes(row, row.length);
    }
  }

  private void writeGraph(
      FieldInfo field,
      FloatVectors vectors,
      ProductQuantizer quantizer,
      CodeBlocks blocks,
      int[] nodeToOrd,
      int[] outliers,
      GraphSeed seed,
      CooperativeTasks tasks)
      throws IOException {
    RandomVectorScorerSupplier scorers =
        rawVectors.scorers(field.getVectorSimilarityFunction(), vectors.values());
    GraphBuilder builder =
        new GraphBuilder(
            vectors.values(),
            scorers,
            quantizer,
            blocks,
            nodeToOrd,
            outliers,
            seed != null && seed.worthIt(config.maxConn()) ? seed : null,
            config,
            tasks);
    BuiltGraph graph = builder.build(state.infoStream);
    GraphWriter.write(graphs, field.number, graph, nodeToOrd, config.maxConn(), blocks)
        .write(graphMeta);
  }

  @Override
  public void finish() throws IOException {
    if (finished) {
      throw new IllegalStateException("already finished");
    }
    finished = true;
    if (raw != null) {
      raw.finish();
    }
    if (bytes != null) {
      bytes.finish();
    }
    MetaEntry.writeEnd(codesMeta);
    CodecUtil.writeFooter(codesMeta);
    CodecUtil.writeFooter(codes);
    MetaEntry.writeEnd(graphMeta);
    CodecUtil.writeFooter(graphMeta);
    CodecUtil.writeFooter(graphs);
  }

  @Override
  public long ramBytesUsed() {
    long total = SHALLOW_SIZE;
    if (raw != null) {
      total += raw.ramBytesUsed();
    }
    if (bytes != null) {
      total += bytes.ramBytesUsed();
    }
    return total;
  }

  @Override
  public void close() throws IOException {
    IOUtils.close(raw, mergedRaw, bytes, codesMeta, codes, graphMeta, graphs);
  }
}
