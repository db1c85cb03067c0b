package io.pq32.lucene;

import io.pq32.quantization.AdcTable;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import org.apache.lucene.codecs.CodecUtil;
import org.apache.lucene.codecs.KnnVectorsReader;
import org.apache.lucene.codecs.hnsw.FlatVectorsReader;
import org.apache.lucene.codecs.hnsw.HnswGraphProvider;
import org.apache.lucene.index.ByteVectorValues;
import org.apache.lucene.index.CorruptIndexException;
import org.apache.lucene.index.FieldInfo;
import org.apache.lucene.index.FieldInfos;
import org.apache.lucene.index.FloatVectorValues;
import org.apache.lucene.index.SegmentReadState;
import org.apache.lucene.index.VectorEncoding;
import org.apache.lucene.search.AcceptDocs;
import org.apache.lucene.search.KnnCollector;
import org.apache.lucene.store.FileDataHint;
import org.apache.lucene.store.FileTypeHint;
import org.apache.lucene.store.IndexInput;
import org.apache.lucene.util.IOUtils;
import org.apache.lucene.util.hnsw.HnswGraph;
import org.apache.lucene.util.hnsw.RandomVectorScorer;

/** Reads and searches the vectors of one segment. */
final class Pq32VectorsReader extends KnnVectorsReader implements HnswGraphProvider {
  private final FieldInfos fieldInfos;
  private final int maxDoc;
  private final Map<Integer, CodesMeta> metas = new HashMap<>();
  private final Map<Integer, StoredCodes> storedCodes = new HashMap<>();
  private FlatVectorsReader raw;
  private KnnVectorsReader bytes; // null where the segment has no byte vectors
  private IndexInput codes;

  Pq32VectorsReader(SegmentReadState state, RawVectors rawVectors) throws IOException {
    this.fieldInfos = state.fieldInfos;
    this.maxDoc = state.segmentInfo.maxDoc();
    try {
      int version = SegmentFile.CODES_META.readMeta(state, this::readMetas);
      codes =
          SegmentFile.CODES.open(
              state, version, state.context.withHints(FileTypeHint.DATA, FileDataHint.KNN_VECTORS));
      raw = rawVectors.reader(state);
      for (CodesMeta meta : metas.values()) {
        switch (meta) {
          case CodesMeta.Bytes _ -> {
            if (bytes == null) {
              bytes = rawVectors.bytesReader(state);
            }
          }
          case CodesMeta.FloatsOnly _ -> {}
          case CodesMeta.Codes field -> open(field);
        }
      }
    } catch (Throwable t) {
      IOUtils.closeWhileSuppressingExceptions(t, this);
      throw t;
    }
  }

  private void readMetas(IndexInput in) throws IOException {
    for (CodesMeta meta = CodesMeta.readNext(in, fieldInfos);
        meta != null;
        meta = CodesMeta.readNext(in, fieldInfos)) {
      if (metas.put(meta.fieldNumber(), meta) != null) {
        throw new CorruptIndexException("field " + meta.fieldNumber() + " stands twice", in);
      }
    }
  }

  private void open(CodesMeta.Codes meta) throws IOException {
    String field = fieldInfos.fieldInfo(meta.fieldNumber()).name;
    meta.checkRegions(field, codes);
    int rawCount = raw.getFloatVectorValues(field).size();
    if (rawCount != meta.count()) {
      throw Corruption.of(field, "count of codes", rawCount, meta.count(), codes);
    }
    storedCodes.put(meta.fieldNumber(), new StoredCodes(meta, codes));
  }

  /** The codes of a field, or null when its floats are all there is. */
  StoredCodes codes(String field) {
    return storedCodes.get(field(field, VectorEncoding.FLOAT32).number);
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
    FloatVectorValues values = raw.getFloatVectorValues(field);
    if (values.size() == 0 || collector.k() == 0) {
      return;
    }
    AcceptedOrds accepted = AcceptedOrds.of(acceptDocs, values, maxDoc);
    if (accepted.count() == 0) {
      return;
    }
    RandomVectorScorer scorer = raw.getRandomVectorScorer(field, target);
    StoredCodes codes = storedCodes.get(info.number);
    int k = Math.min(collector.k(), accepted.count());
    switch (SearchPlan.of(codes != null, values.size(), accepted.count(), k)) {
      case SearchPlan.ExactScan _ -> ExactScan.search(scorer, accepted, collector);
      case SearchPlan.CodeScan plan ->
          searchCodes(plan, codes, target, scorer, accepted, collector);
    }
  }

  private static void searchCodes(
      SearchPlan.CodeScan plan,
      StoredCodes codes,
      float[] target,
      RandomVectorScorer scorer,
      AcceptedOrds accepted,
      KnnCollector collector)
      throws IOException {
    AdcTable table = codes.quantizer().newTable();
    table.fill(target);
    int limit = (int) Math.min(accepted.count(), 4L * plan.depth());
    int[] ords = CodeScan.topOrds(codes, table, accepted, limit, collector);
    boolean more = Reranker.collect(ords, 0, plan.depth(), scorer, collector);
    while (more && limit < accepted.count() && !collector.earlyTerminated()) {
      int scored = ords.length;
      limit = (int) Math.min(accepted.count(), 4L * limit);
      ords = CodeScan.topOrds(codes, table, accepted, limit, new Revisit(collector));
      more = Reranker.collect(ords, scored, plan.depth(), scorer, collector);
    }
  }

  /** Codes scanned again are no further visits. */
  private static final class Revisit extends KnnCollector.Decorator {
    Revisit(KnnCollector collector) {
      super(collector);
    }

    @Override
    public void incVisitedCount(int count) {}
  }

  @Override
  public void search(String field, byte[] target, KnnCollector collector, AcceptDocs acceptDocs)
      throws IOException {
    bytes.search(field(field, VectorEncoding.BYTE).name, target, collector, acceptDocs);
  }

  @Override
  public HnswGraph getGraph(String field) throws IOException {
    FieldInfo info = fieldInfos.fieldInfo(field);
    return info != null && metas.get(info.number) instanceof CodesMeta.Bytes
        ? ((HnswGraphProvider) bytes).getGraph(field)
        : HnswGraph.EMPTY;
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
              raw.getOffHeapByteSize(field),
              Map.of(SegmentFile.CODES.extension(), meta.codebookLength() + meta.codesLength()));
      case null ->
          throw new IllegalArgumentException(
              "field \"" + field.name + "\" has no vectors in this segment");
    };
  }

  @Override
  public void close() throws IOException {
    IOUtils.close(raw, bytes, codes);
  }
}
