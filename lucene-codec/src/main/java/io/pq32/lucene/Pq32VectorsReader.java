package io.pq32.lucene;

import java.io.IOException;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.lucene.codecs.CodecUtil;
import org.apache.lucene.codecs.KnnVectorsReader;
import org.apache.lucene.codecs.hnsw.FlatVectorsReader;
import org.apache.lucene.codecs.hnsw.HnswGraphProvider;
import org.apache.lucene.codecs.perfield.PerFieldKnnVectorsFormat;
import org.apache.lucene.index.ByteVectorValues;
import org.apache.lucene.index.CorruptIndexException;
import org.apache.lucene.index.FieldInfo;
import org.apache.lucene.index.FieldInfos;
import org.apache.lucene.index.FloatVectorValues;
import org.apache.lucene.index.SegmentReadState;
import org.apache.lucene.index.VectorEncoding;
import org.apache.lucene.search.AcceptDocs;
import org.apache.lucene.search.KnnCollector;
import org.apache.lucene.store.AlreadyClosedException;
import org.apache.lucene.store.FileDataHint;
import org.apache.lucene.store.FileTypeHint;
import org.apache.lucene.store.IOContext;
import org.apache.lucene.store.IndexInput;
import org.apache.lucene.util.IOUtils;
import org.apache.lucene.util.hnsw.HnswGraph;
import org.apache.lucene.util.hnsw.RandomVectorScorer;

/** Reads and searches the vectors of one segment. */
final class Pq32VectorsReader extends KnnVectorsReader implements HnswGraphProvider {
  private final FieldInfos fieldInfos;
  private final SearchPlan.Costs costs;
  private final Map<Integer, CodesMeta> metas = new LinkedHashMap<>(); // in the order of the file
  private final Map<Integer, QuantizedField> quantized = new HashMap<>();
  private final Map<Integer, VectorDocs> vectorDocs = new HashMap<>();
  private final Map<Integer, SearchCounters> counters = new HashMap<>();
  private FlatVectorsReader raw;
  private KnnVectorsReader bytes; // null where the segment has no byte vectors
  private IndexInput codes;
  private IndexInput graphs;
  private volatile boolean closed;

  Pq32VectorsReader(SegmentReadState state, RawVectors rawVectors, SearchPlan.Costs costs)
      throws IOException {
    this.fieldInfos = state.fieldInfos;
    this.costs = costs;
    try {
      Map<Integer, GraphMeta> graphMetas = new HashMap<>();
      IOContext context = state.context.withHints(FileTypeHint.DATA, FileDataHint.KNN_VECTORS);
      int version =
          SegmentFile.CODES_META.readMeta(state, in -> readMetas(in, state.segmentSuffix));
      codes = SegmentFile.CODES.open(state, version, context);
      version = SegmentFile.GRAPH_META.readMeta(state, in -> readGraphMetas(in, graphMetas));
      graphs = SegmentFile.GRAPH.open(state, version, context);
      raw = rawVectors.reader(state);
      DataLayout codesLayout = new DataLayout(codes, SegmentFile.CODES.headerLength(state));
      DataLayout graphsLayout = new DataLayout(graphs, SegmentFile.GRAPH.headerLength(state));
      for (CodesMeta meta : metas.values()) {
        switch (meta) {
          case CodesMeta.Bytes _ -> {
            if (bytes == null) {
              bytes = rawVectors.bytesReader(state);
            }
          }
          case CodesMeta.FloatsOnly _ -> {}
          case CodesMeta.Codes field ->
              open(field, graphMetas.remove(field.fieldNumber()), codesLayout, graphsLayout);
        }
        if (!(meta instanceof CodesMeta.Bytes)) {
          String field = fieldInfos.fieldInfo(meta.fieldNumber()).name;
          int size = raw.getFloatVectorValues(field).size();
          vectorDocs.put(meta.fieldNumber(), new VectorDocs(state.segmentInfo.maxDoc(), size));
          counters.put(meta.fieldNumber(), new SearchCounters());
        }
      }
      codesLayout.finish();
      graphsLayout.finish();
      if (!graphMetas.isEmpty()) {
        throw new CorruptIndexException(
            "fields with a graph should have codes and have none: " + graphMetas.keySet(), graphs);
      }
    } catch (Throwable t) {
      IOUtils.closeWhileSuppressingExceptions(t, this);
      throw t;
    }
  }

  private void readMetas(IndexInput in, String suffix) throws IOException {
    for (CodesMeta meta = CodesMeta.readNext(in, fieldInfos);
        meta != null;
        meta = CodesMeta.readNext(in, fieldInfos)) {
      if (metas.put(meta.fieldNumber(), meta) != null) {
        throw twice(meta.fieldNumber(), in);
      }
    }
    for (FieldInfo field : fieldInfos) {
      if (field.hasVectorValues() && isOurs(field, suffix) && !metas.containsKey(field.number)) {
        throw Corruption.of(field.name, "number of entries", 1, 0, in);
      }
    }
  }

  /** Whether the segment says that a field is in the files of a suffix. */
  private static boolean isOurs(FieldInfo field, String suffix) {
    String format = field.getAttribute(PerFieldKnnVectorsFormat.PER_FIELD_FORMAT_KEY);
    String number = field.getAttribute(PerFieldKnnVectorsFormat.PER_FIELD_SUFFIX_KEY);
    return (format + "_" + number).equals(suffix);
  }

  private void readGraphMetas(IndexInput in, Map<Integer, GraphMeta> graphMetas)
      throws IOException {
    for (GraphMeta meta = GraphMeta.readNext(in, fieldInfos);
        meta != null;
        meta = GraphMeta.readNext(in, fieldInfos)) {
      if (graphMetas.put(meta.fieldNumber(), meta) != null) {
        throw twice(meta.fieldNumber(), in);
      }
    }
  }

  private CorruptIndexException twice(int fieldNumber, IndexInput in) {
    String field = fieldInfos.fieldInfo(fieldNumber).name;
    return Corruption.of(field, "number of entries", 1, 2, in);
  }

  private void open(
      CodesMeta.Codes meta, GraphMeta graphMeta, DataLayout codesLayout, DataLayout graphsLayout)
      throws IOException {
    String field = fieldInfos.fieldInfo(meta.fieldNumber()).name;
    meta.checkRegions(field, codesLayout);
    int rawCount = raw.getFloatVectorValues(field).size();
    if (rawCount != meta.count()) {
      throw Corruption.of(field, "count of codes", rawCount, meta.count(), codes);
    }
    boolean wantsGraph = meta.arrangement() == CodesMeta.Arrangement.ROWS;
    if (wantsGraph != (graphMeta != null)) {
      throw Corruption.of(field, "graph", wantsGraph ? "there" : "absent", graphMeta, graphs);
    }
    MappedGraph graph = null;
    if (graphMeta != null) {
      graphMeta.check(field, meta, graphsLayout, graphs);
      graph = new MappedGraph(field, graphMeta, graphs);
    }
    quantized.put(
        meta.fieldNumber(), new QuantizedField(new StoredCodes(field, meta, codes), graph));
  }

  /** The codes of a field, or null when its floats are all there is. */
  QuantizedField quantizedOrNull(String field) {
    return quantized.get(field(field, VectorEncoding.FLOAT32).number);
  }

  private FieldInfo field(String name, VectorEncoding encoding) {
    FieldInfo field = fieldInfos.fieldInfo(name);
    if (field == null || !metas.containsKey(field.number)) {
      throw new IllegalArgumentException("field \"" + name + "\" has no vectors in this segment");
    }
    if (field.getVectorEncoding() != encoding) {
      throw new IllegalArgumentException(
          "field \""
              + name
              + "\" has vectors of encoding "
              + field.getVectorEncoding()
              + ", not "
              + encoding);
    }
    return field;
  }

  @Override
  public void checkIntegrity() throws IOException {
    raw.checkIntegrity();
    if (bytes != null) {
      bytes.checkIntegrity();
    }
    CodecUtil.checksumEntireFile(codes);
    CodecUtil.checksumEntireFile(graphs);
  }

  @Override
  public FloatVectorValues getFloatVectorValues(String field) throws IOException {
    return raw.getFloatVectorValues(field(field, VectorEncoding.FLOAT32).name);
  }

  @Override
  public ByteVectorValues getByteVectorValues(String field) throws IOException {
    return bytes.getByteVectorValues(field(field, VectorEncoding.BYTE).name);
  }

  @Override
  public void search(String field, float[] target, KnnCollector collector, AcceptDocs acceptDocs)
      throws IOException {
    FieldInfo info = field(field, VectorEncoding.FLOAT32);
    if (target.length != info.getVectorDimension()) {
      throw new IllegalArgumentException(
          "field \""
              + field
              + "\" has dimension "
              + info.getVectorDimension()
              + "; the query vector has "
              + target.length);
    }
    FiniteVectors.require(field, target);
    try {
      search(info, target, collector, acceptDocs);
    } catch (AlreadyClosedException e) {
      throw e;
    } catch (IllegalStateException | NullPointerException e) {
      // What memory says of itself when its file is unmapped below a search; and what Lucene's
      // input stumbles over when it is asked for a slice right then.
      throw closed ? new AlreadyClosedException("closed during a search of " + field, e) : e;
    }
  }

  private void search(FieldInfo info, float[] target, KnnCollector collector, AcceptDocs acceptDocs)
      throws IOException {
    VectorDocs docs = vectorDocs.get(info.number);
    if (collector.k() == 0) {
      return;
    }
    AcceptedOrds accepted = docs.accepted(acceptDocs, () -> raw.getFloatVectorValues(info.name));
    if (accepted.count() == 0) {
      return;
    }
    KnnCollector counting = new VisitCount(collector, accepted.count());
    search(info, target, docs.size(), accepted, counting);
  }

  private void search(
      FieldInfo info, float[] target, int size, AcceptedOrds accepted, KnnCollector collector)
      throws IOException {
    RandomVectorScorer scorer = DefinedScores.of(raw.getRandomVectorScorer(info.name, target));
    QuantizedField codes = quantized.get(info.number);
    int k = Math.min(collector.k(), accepted.count());
    SearchPlan.Codes arrangement = codes == null ? SearchPlan.Codes.NONE : codes.arrangement();
    switch (SearchPlan.of(costs, arrangement, size, accepted.count(), k)) {
      case SearchPlan.ExactScan _ -> {
        ExactScan scan = new ExactScan(scorer, accepted, collector);
        try {
          scan.run();
        } finally {
          counters.get(info.number).add(scan.scored());
        }
      }
      case SearchPlan.OnCodes plan -> {
        QueryTables tables = codes.codes().tables();
        QueryTables.Table table = tables.borrow(target);
        try {
          int depth = Reranker.depth(k);
          CodeSearch search = codes.candidates(plan, costs, table, accepted, depth, collector);
          CodesMeta.Codes meta = codes.codes().meta();
          Reranker reranker = new Reranker(meta.similarity(), table.step(), scorer, collector);
          int[] outliers = accepted.among(meta.outliers());
          try {
            if (outliers.length > 0) {
              reranker.collect(outliers);
            }
            reranker.collect(Outliers.excluded(outliers, search), k);
          } finally {
            counters.get(info.number).add(search, reranker.scored());
          }
        } finally {
          tables.giveBack(table);
        }
      }
    }
  }

  /** The counts of a field's searches, zero for one that is not ours to search. */
  Pq32SearchStats searchStats(FieldInfo field) {
    SearchCounters counters = this.counters.get(field.number);
    return counters == null ? Pq32SearchStats.NONE : counters.stats();
  }

  @Override
  public void search(String field, byte[] target, KnnCollector collector, AcceptDocs acceptDocs)
      throws IOException {
    bytes.search(field(field, VectorEncoding.BYTE).name, target, collector, acceptDocs);
  }

  @Override
  public HnswGraph getGraph(String field) throws IOException {
    FieldInfo info = fieldInfos.fieldInfo(field);
    CodesMeta meta = info == null ? null : metas.get(info.number);
    if (meta instanceof CodesMeta.Bytes) {
      return ((HnswGraphProvider) bytes).getGraph(field);
    }
    QuantizedField codes = meta == null ? null : quantized.get(info.number);
    return codes == null || codes.graph() == null ? HnswGraph.EMPTY : new OrdGraph(codes.graph());
  }

  @Override
  public KnnVectorsReader getMergeInstance() throws IOException {
    raw.getMergeInstance(); // changes its read advice in place
    return this;
  }

  @Override
  public void finishMerge() throws IOException {
    raw.finishMerge();
  }

  @Override
  public Map<String, Long> getOffHeapByteSize(FieldInfo field) {
    return switch (metas.get(field.number)) {
      case CodesMeta.Bytes _ -> bytes.getOffHeapByteSize(field);
      case CodesMeta.FloatsOnly _ -> raw.getOffHeapByteSize(field);
      case CodesMeta.Codes meta ->
          KnnVectorsReader.mergeOffHeapByteSizeMaps(
              raw.getOffHeapByteSize(field), quantizedByteSize(meta));
      case null ->
          throw new IllegalArgumentException(
              "field \"" + field.name + "\" has no vectors in this segment");
    };
  }

  private Map<String, Long> quantizedByteSize(CodesMeta.Codes meta) {
    MappedGraph graph = quantized.get(meta.fieldNumber()).graph();
    long codesLength = meta.codebookLength() + meta.codesLength();
    return graph == null
        ? Map.of(SegmentFile.CODES.extension(), codesLength)
        : Map.of(
            SegmentFile.CODES.extension(),
            codesLength,
            SegmentFile.GRAPH.extension(),
            graph.meta().length());
  }

  @Override
  public void close() throws IOException {
    closed = true;
    IOUtils.close(raw, bytes, codes, graphs);
  }
}
