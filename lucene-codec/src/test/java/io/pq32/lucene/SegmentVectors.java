package io.pq32.lucene;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.zip.CRC32;
import org.apache.lucene.codecs.CodecUtil;
import org.apache.lucene.codecs.perfield.PerFieldKnnVectorsFormat;
import org.apache.lucene.index.FieldInfo;
import org.apache.lucene.index.FieldInfos;
import org.apache.lucene.index.FloatVectorValues;
import org.apache.lucene.index.KnnVectorValues;
import org.apache.lucene.index.SegmentCommitInfo;
import org.apache.lucene.index.SegmentInfos;
import org.apache.lucene.index.SegmentReadState;
import org.apache.lucene.index.VectorEncoding;
import org.apache.lucene.search.AcceptDocs;
import org.apache.lucene.search.DocIdSetIterator;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.TopKnnCollector;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.IOContext;
import org.apache.lucene.util.Bits;
import org.apache.lucene.util.FixedBitSet;
import org.apache.lucene.util.hnsw.HnswGraph;

/**
 * One segment of an index: its files, and the answers that its vectors reader gives. The reader is
 * opened without the rest of the index, so that thousands of damaged files can be tried.
 */
final class SegmentVectors {
  /**
   * Scores codes wherever there are some: by blocks, one by one where there is a graph. (With the
   * other costs graphs are walked, and filtered codes in blocks are scored one by one.)
   */
  static final SearchPlan.Costs SCAN_COSTS = new SearchPlan.Costs(1 << 20, 0, 1, 1 << 10, 1 << 20);

  /**
   * Heap that one look at a segment of these tests may take. None of them has a megabyte, but some
   * hundred searches for all there is take 80 of them.
   */
  private static final long MAX_ALLOCATED = 200L << 20;

  private final Directory directory;
  private final SegmentReadState state;
  private final Map<String, float[][]> vectors = new TreeMap<>(); // by field and document
  private final Map<String, float[][]> queries = new HashMap<>();

  private SegmentVectors(Directory directory, SegmentReadState state) {
    this.directory = directory;
    this.state = state;
  }

  /** A segment whose vectors are all in our format. */
  static SegmentVectors of(Directory directory, int segment, Random random) throws IOException {
    SegmentCommitInfo commit = SegmentInfos.readLatestCommit(directory).info(segment);
    FieldInfos fields =
        commit
            .info
            .getCodec()
            .fieldInfosFormat()
            .read(directory, commit.info, "", IOContext.DEFAULT);
    String suffix = null;
    for (FieldInfo field : fields) {
      if (field.hasVectorValues()) {
        suffix =
            field.getAttribute(PerFieldKnnVectorsFormat.PER_FIELD_FORMAT_KEY)
                + "_"
                + field.getAttribute(PerFieldKnnVectorsFormat.PER_FIELD_SUFFIX_KEY);
      }
    }
    SegmentVectors result =
        new SegmentVectors(
            directory,
            new SegmentReadState(directory, commit.info, fields, IOContext.DEFAULT, suffix));
    result.readVectors(random);
    return result;
  }

  /**
   * Asks once what is asked of every damage: else the first one is told to take what loading
   * classes and checking kernels takes, hundreds of megabytes where a fuzzer instruments the
   * classes.
   */
  void warmUp() throws IOException {
    Look look = new Look(true, new ArrayList<>(), new ArrayList<>());
    try (Pq32VectorsReader walking = open(directory, CodesOnlyFormat.COSTS);
        Pq32VectorsReader scanning = open(directory, SCAN_COSTS)) {
      ask(look, walking, new int[] {1, 2}, new int[] {10}, false);
      ask(look, scanning, new int[] {1, 2}, new int[] {10}, false);
    }
  }

  private void readVectors(Random random) throws IOException {
    try (Pq32VectorsReader reader = open(directory, SearchPlan.Costs.MEASURED)) {
      for (FieldInfo field : state.fieldInfos) {
        if (field.hasVectorValues() && field.getVectorEncoding() == VectorEncoding.FLOAT32) {
          FloatVectorValues values = reader.getFloatVectorValues(field.name);
          float[][] byDoc = new float[maxDoc()][];
          KnnVectorValues.DocIndexIterator docs = values.iterator();
          while (docs.nextDoc() != DocIdSetIterator.NO_MORE_DOCS) {
            byDoc[docs.docID()] = values.vectorValue(docs.index()).clone();
          }
          vectors.put(field.name, byDoc);
          float[] query = new float[field.getVectorDimension()];
          float[] first = values.vectorValue(random.nextInt(values.size()));
          for (int i = 0; i < query.length; i++) {
            query[i] = first[i] + 0.1f * (float) random.nextGaussian();
          }
          queries.put(field.name, new float[][] {first.clone(), query});
        }
      }
    }
  }

  Directory directory() {
    return directory;
  }

  int maxDoc() {
    return state.segmentInfo.maxDoc();
  }

  FieldInfos fieldInfos() {
    return state.fieldInfos;
  }

  String name(SegmentFile file) {
    return state.segmentInfo.name + "_" + state.segmentSuffix + "." + file.extension();
  }

  byte[] bytes(SegmentFile file) throws IOException {
    return ReplacedFiles.read(directory, name(file));
  }

  int headerLength(SegmentFile file) {
    return CodecUtil.indexHeaderLength(file.codecName(), state.segmentSuffix);
  }

  /** What stands between header and footer. */
  byte[] body(SegmentFile file) throws IOException {
    byte[] bytes = bytes(file);
    return Arrays.copyOfRange(bytes, headerLength(file), bytes.length - CodecUtil.footerLength());
  }

  /** Opens the reader of this segment on the files of a directory. */
  Pq32VectorsReader open(Directory files, SearchPlan.Costs costs) throws IOException {
    return new Pq32VectorsReader(
        new SegmentReadState(
            files, state.segmentInfo, state.fieldInfos, state.context, state.segmentSuffix),
        new RawVectors(Pq32HnswConfig.DEFAULT),
        costs);
  }

  /**
   * What came of a look at a segment.
   *
   * @param opened whether the reader could be opened
   * @param answers all that it answered
   * @param complaints what it threw instead
   */
  record Look(boolean opened, List<String> answers, List<IOException> complaints) {
    boolean isClean() {
      return complaints.isEmpty();
    }
  }

  /** Something asked of a reader. */
  @FunctionalInterface
  private interface Question {
    String ask() throws IOException;
  }

  /**
   * Asks the reader everything that it can be asked: whatever is neither an answer nor an {@link
   * IOException} is thrown. An answer of a search must have exact scores of accepted documents.
   */
  Look look(Directory files) {
    return look(files, new int[] {1, 2, 40}, new int[] {1, 10, 2 * maxDoc()}, true);
  }

  /**
   * Asks the same, but only a few times. Of so few documents, half are what it takes for a filtered
   * search to use codes.
   */
  Look glance(Directory files) {
    return look(files, new int[] {1, 2}, new int[] {10}, false);
  }

  private Look look(Directory files, int[] filters, int[] ks, boolean everyQuery) {
    var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    Look look = new Look(true, new ArrayList<>(), new ArrayList<>());
    try (Pq32VectorsReader walking = open(files, CodesOnlyFormat.COSTS);
        Pq32VectorsReader scanning = open(files, SCAN_COSTS)) {
      ask(look, walking, filters, ks, everyQuery);
      ask(look, scanning, filters, ks, everyQuery);
    } catch (IOException e) {
      look = new Look(false, List.of(), List.of(e));
    }
    long allocated = threads.getCurrentThreadAllocatedBytes() - before;
    if (allocated > MAX_ALLOCATED) {
      throw new AssertionError("took " + allocated + " bytes of heap: " + look.complaints);
    }
    return look;
  }

  private void ask(
      Look look, Pq32VectorsReader reader, int[] filters, int[] ks, boolean everyQuery) {
    for (Map.Entry<String, float[][]> field : vectors.entrySet()) {
      String name = field.getKey();
      for (int i = 0; i < (everyQuery ? 2 : 1); i++) {
        float[] query = queries.get(name)[i];
        for (int every : filters) {
          for (int k : ks) {
            answer(look, () -> search(reader, name, query, k, every));
          }
        }
      }
      answer(look, () -> graph(reader.getGraph(name)));
      answer(look, () -> codes(reader, name));
      answer(
          look,
          () -> new TreeMap<>(reader.getOffHeapByteSize(state.fieldInfos.fieldInfo(name))) + "");
    }
  }

  private static void answer(Look look, Question question) {
    try {
      look.answers.add(question.ask());
    } catch (IOException e) {
      look.complaints.add(e);
    }
  }

  /** Searches among every so manieth document. */
  private String search(Pq32VectorsReader reader, String field, float[] query, int k, int every)
      throws IOException {
    Bits accepted = null;
    if (every > 1) {
      FixedBitSet bits = new FixedBitSet(maxDoc());
      for (int doc = 0; doc < maxDoc(); doc += every) {
        bits.set(doc);
      }
      accepted = bits;
    }
    TopKnnCollector collector = new TopKnnCollector(k, Integer.MAX_VALUE);
    reader.search(field, query, collector, AcceptDocs.fromLiveDocs(accepted, maxDoc()));
    StringBuilder answer = new StringBuilder(field);
    for (ScoreDoc hit : collector.topDocs().scoreDocs) {
      float[] vector = vectors.get(field)[hit.doc];
      float score =
          vector == null
              ? Float.NaN
              : state
                  .fieldInfos
                  .fieldInfo(field)
                  .getVectorSimilarityFunction()
                  .compare(query, vector);
      if (hit.doc % every != 0 || !(Math.abs(score - hit.score) <= 1e-5 * Math.abs(score))) {
        throw new AssertionError(hit + " of " + field + " should score " + score);
      }
      answer.append(' ').append(hit.doc);
    }
    return answer.toString();
  }

  private static String graph(HnswGraph graph) throws IOException {
    CRC32 crc = new CRC32();
    if (graph.size() > 0) {
      crc.update(graph.entryNode());
    }
    for (int ord = 0; ord < graph.size(); ord++) {
      graph.seek(0, ord);
      int neighbor = graph.nextNeighbor();
      for (int count = 0; neighbor != DocIdSetIterator.NO_MORE_DOCS; count++) {
        if (neighbor < 0 || neighbor >= graph.size() || count >= graph.neighborCount()) {
          throw new AssertionError("neighbor " + neighbor + " of " + ord);
        }
        crc.update(neighbor);
        crc.update(neighbor >>> 8);
        neighbor = graph.nextNeighbor();
      }
    }
    return "graph " + crc.getValue();
  }

  private String codes(Pq32VectorsReader reader, String field) throws IOException {
    QuantizedField quantized = reader.quantizedOrNull(field);
    if (quantized == null) {
      return "no codes";
    }
    CRC32 crc = new CRC32();
    QuantizedField.CodeReader codes = quantized.codeReader();
    byte[] code = new byte[quantized.codes().meta().layout().codeBytes()];
    for (int ord = 0; ord < quantized.codes().meta().count(); ord++) {
      codes.copy(ord, code);
      crc.update(code);
    }
    return "codes " + quantized.codes().codebook().id() + " " + crc.getValue();
  }
}
