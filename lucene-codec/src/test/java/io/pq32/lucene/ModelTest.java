package io.pq32.lucene;

import static io.pq32.lucene.VectorIndex.ID;
import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pq32.quantization.BruteForce;
import io.pq32.quantization.Effort;
import io.pq32.quantization.ProductQuantizer;
import io.pq32.quantization.SeededRandom;
import io.pq32.quantization.Vectors;
import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.apache.lucene.codecs.KnnVectorsFormat;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.IntField;
import org.apache.lucene.document.KnnFloatVectorField;
import org.apache.lucene.document.NumericDocValuesField;
import org.apache.lucene.document.StringField;
import org.apache.lucene.index.CodecReader;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.FloatVectorValues;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.LogDocMergePolicy;
import org.apache.lucene.index.MergePolicy;
import org.apache.lucene.index.SerialMergeScheduler;
import org.apache.lucene.index.SoftDeletesDirectoryReaderWrapper;
import org.apache.lucene.index.SoftDeletesRetentionMergePolicy;
import org.apache.lucene.index.Term;
import org.apache.lucene.index.TieredMergePolicy;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.KnnFloatVectorQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.Sort;
import org.apache.lucene.search.SortField;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.Directory;
import org.apache.lucene.util.InfoStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * An index and a map in memory live the same life, step by step at random; every search over the
 * index finds what the map says.
 *
 * <p>{@code -Dtests.cases=N} runs so many lives; {@code -Dtests.case=SEED} runs one again that has
 * failed.
 */
@ExtendWith(SeededRandom.class)
class ModelTest {
  private static final int CASES = Integer.getInteger("tests.cases", Effort.of(14, 300));
  private static final String CASE = System.getProperty("tests.case");
  private static final int STEPS = 250;
  private static final double LEAST_RECALL = 0.95;

  private static final String KEY = "key";
  private static final String RANK = "rank";
  private static final String ORDER = "order";
  private static final String SOFT_DELETED = "soft";
  private static final int RANKS = 1000;
  private static final int MANY = 1200; // documents: more are added more seldom

  /** What happens in one step. */
  private enum Step {
    ADD(14),
    ADD_BLOCK(3),
    UPDATE(8),
    SOFT_UPDATE(6),
    DELETE_BY_TERM(5),
    DELETE_BY_QUERY(4),
    SOFT_DELETE(4),
    DELETE_ALL(0.1),
    COMMIT(4),
    ROLLBACK(1),
    FLUSH(4),
    FORCE_MERGE(2),
    FORCE_MERGE_DELETES(1),
    ADD_DIRECTORY(1),
    ADD_READERS(1),
    RESTART(1.5),
    MOVE_ON(1),
    REOPEN(10),
    SEARCH(20),
    FILTERED_SEARCH(20);

    final double weight;

    Step(double weight) {
      this.weight = weight;
    }

    static Step random(Random random) {
      double left = random.nextDouble() * Arrays.stream(values()).mapToDouble(s -> s.weight).sum();
      for (Step step : values()) {
        left -= step.weight;
        if (left < 0) {
          return step;
        }
      }
      return SEARCH;
    }
  }

  /** What a test that proves something has to meet. */
  private enum Met {
    /** Segments searched, by what they hold. */
    WITHOUT_FIELD,
    FLOATS,
    BLOCKS,
    GRAPH,
    /** Codebooks trained. */
    TRAINED,
    /** Merges that kept all codes, some, or none. */
    COPIED,
    PARTLY_ENCODED,
    ENCODED,
    /** Merges that started with a graph. */
    GRAPH_REUSED,
    /** Searches in several segments. */
    SEVERAL_SEGMENTS,
    /** Searches with hits. */
    HITS
  }

  /** A vector field of the index. */
  private record VectorField(
      String name, VectorSimilarityFunction similarity, int dimension, double density) {}

  /**
   * A document.
   *
   * @param vectors by field, null where it has none
   */
  private record Doc(int id, int rank, long order, float[][] vectors) {}

  /** Counts what the format says. */
  private static final class Messages extends InfoStream {
    private final Experience experience;

    Messages(Experience experience) {
      this.experience = experience;
    }

    @Override
    public void message(String component, String message) {
      if (message.startsWith("trained codebook")) {
        experience.met(Met.TRAINED);
      } else if (message.startsWith("graph: starts with")) {
        experience.met(Met.GRAPH_REUSED);
      } else if (message.contains(": copied ")) {
        String[] words = message.substring(message.indexOf(": copied ")).split("[ ,]+");
        int copied = Integer.parseInt(words[2]);
        int all = Integer.parseInt(words[5]);
        experience.met(copied == 0 ? Met.ENCODED : copied < all ? Met.PARTLY_ENCODED : Met.COPIED);
      }
    }

    @Override
    public boolean isEnabled(String component) {
      return component.equals(CodebookPolicy.INFO_COMPONENT);
    }

    @Override
    public void close() {}
  }

  /** What all lives together have met. */
  private static final class Experience {
    final Map<Met, Integer> met = new EnumMap<>(Met.class);
    final Map<Step, Integer> steps = new EnumMap<>(Step.class);
    double recall; // sum over all searches with hits

    void met(Met what) {
      met.merge(what, 1, Integer::sum);
    }
  }

  /** One life. */
  private static final class Life implements Closeable {
    private final Random random;
    private final Experience experience;
    private final InfoStream messages;
    private final Directory directory = new ByteBuffersDirectory();
    private final List<VectorField> fields = new ArrayList<>();
    private final Sort sort; // null: none
    private final boolean retainsSoftDeletes;
    private double[][] centers; // by field: of the vectors that come now
    private IndexWriter writer;
    private DirectoryReader reader;
    private boolean readsWriter; // sees what is not committed
    private boolean valuesUpdated; // of documents, since the reader was opened
    private Map<Integer, Doc> docs = new TreeMap<>(); // what the writer has
    private Map<Integer, Doc> committed = new TreeMap<>();
    private Map<Integer, Doc> seen; // what the reader has
    private int nextId;

    Life(long seed, Experience experience) throws IOException {
      this.random = new Random(seed);
      this.experience = experience;
      this.messages = new Messages(experience);
      VectorSimilarityFunction[] similarities = VectorSimilarityFunction.values();
      for (String name : List.of("first", "second")) {
        fields.add(
            new VectorField(
                name,
                similarities[random.nextInt(similarities.length)],
                1 + random.nextInt(24),
                random.nextBoolean() ? 1 : 0.3 + 0.6 * random.nextDouble()));
      }
      this.sort =
          random.nextInt(3) == 0 ? new Sort(new SortField(ORDER, SortField.Type.LONG)) : null;
      this.retainsSoftDeletes = random.nextInt(4) == 0;
      moveOn();
      writer = new IndexWriter(directory, config());
      reopen();
    }

    /** A process of its own: with a format that remembers no codebook. */
    private IndexWriterConfig config() {
      Pq32HnswConfig config =
          Pq32HnswConfig.DEFAULT
              .withMinQuantizedCount(20 + random.nextInt(100))
              .withGraphThreshold(100 + random.nextInt(600));
      KnnVectorsFormat format =
          switch (random.nextInt(6)) {
            case 0 -> Storage.FLOATS.format();
            case 1 -> new Pq32HnswVectorsFormat(config);
            case 2 -> new CodesOnlyFormat(config.withGraphThreshold(Integer.MAX_VALUE));
            case 3 -> new CodesOnlyFormat(config.withBytesPerVector(16));
            default -> new CodesOnlyFormat(config);
          };
      IndexWriterConfig writerConfig =
          VectorIndex.writerConfig(format)
              .setInfoStream(messages)
              .setMergeScheduler(new SerialMergeScheduler())
              .setMergePolicy(mergePolicy())
              .setMaxBufferedDocs(5 + random.nextInt(300))
              .setSoftDeletesField(SOFT_DELETED);
      if (sort != null) {
        writerConfig.setIndexSort(sort).setParentField("parent");
      }
      return writerConfig;
    }

    private MergePolicy mergePolicy() {
      MergePolicy policy;
      if (random.nextBoolean()) {
        LogDocMergePolicy log = new LogDocMergePolicy();
        log.setMergeFactor(2 + random.nextInt(5));
        log.setMinMergeDocs(1 + random.nextInt(100));
        policy = log;
      } else {
        TieredMergePolicy tiered = new TieredMergePolicy();
        tiered.setSegmentsPerTier(2 + random.nextInt(5));
        tiered.setFloorSegmentMB(0.001 + 0.1 * random.nextDouble());
        policy = tiered;
      }
      policy.setNoCFSRatio(random.nextInt(2));
      return retainsSoftDeletes
          ? new SoftDeletesRetentionMergePolicy(
              SOFT_DELETED, () -> IntField.newRangeQuery(RANK, 0, RANKS / 3), policy)
          : policy;
    }

    @Override
    public void close() throws IOException {
      try {
        reader.close();
        writer.rollback();
      } finally {
        directory.close();
      }
    }

    void step() throws IOException {
      Step step = Step.random(random);
      experience.steps.merge(step, 1, Integer::sum);
      switch (step) {
        case ADD -> add(1 + random.nextInt(docs.size() < MANY ? 80 : 8));
        case ADD_BLOCK -> addBlock(null);
        case UPDATE -> update();
        case SOFT_UPDATE -> softUpdate();
        case DELETE_BY_TERM -> deleteByTerm();
        case DELETE_BY_QUERY -> deleteByQuery(writer, docs);
        case SOFT_DELETE -> softDelete();
        case DELETE_ALL -> deleteAll();
        case COMMIT -> commit();
        case ROLLBACK -> rollback();
        case FLUSH -> writer.flush();
        case FORCE_MERGE -> writer.forceMerge(1 + random.nextInt(3));
        case FORCE_MERGE_DELETES -> writer.forceMergeDeletes();
        case ADD_DIRECTORY -> addIndex(false);
        case ADD_READERS -> addIndex(true);
        case RESTART -> restart();
        case MOVE_ON -> moveOn();
        case REOPEN -> reopen();
        case SEARCH -> search(false);
        case FILTERED_SEARCH -> search(true);
      }
    }

    private Doc newDoc(int id) {
      float[][] vectors = new float[fields.size()][];
      for (int i = 0; i < vectors.length; i++) {
        if (random.nextDouble() < fields.get(i).density) {
          vectors[i] = vector(i);
        }
      }
      return new Doc(id, random.nextInt(RANKS), random.nextLong(), vectors);
    }

    private float[] vector(int field) {
      double[] center = centers[field];
      float[] vector = new float[center.length];
      for (int d = 0; d < vector.length; d++) {
        vector[d] = (float) (center[d] + random.nextGaussian() / (1 + d % 7));
      }
      return fields.get(field).similarity == VectorSimilarityFunction.DOT_PRODUCT
          ? Vectors.normalized(new float[][] {vector})[0]
          : vector;
    }

    private Document document(Doc doc) {
      Document document = new Document();
      document.add(new IntField(ID, doc.id, Field.Store.NO));
      document.add(new StringField(KEY, key(doc.id), Field.Store.NO));
      document.add(new IntField(RANK, doc.rank, Field.Store.NO));
      document.add(new NumericDocValuesField(ORDER, doc.order));
      for (int i = 0; i < doc.vectors.length; i++) {
        if (doc.vectors[i] != null) {
          VectorField field = fields.get(i);
          document.add(new KnnFloatVectorField(field.name, doc.vectors[i], field.similarity));
        }
      }
      return document;
    }

    private static String key(int id) {
      return Integer.toString(id);
    }

    private static Term term(int id) {
      return new Term(KEY, key(id));
    }

    private static NumericDocValuesField softDeleted() {
      return new NumericDocValuesField(SOFT_DELETED, 1);
    }

    /** Any document, or a number that none has any more. */
    private int someId() {
      return random.nextInt(nextId + 1);
    }

    private void add(int count) throws IOException {
      for (int i = 0; i < count; i++) {
        Doc doc = newDoc(nextId++);
        writer.addDocument(document(doc));
        docs.put(doc.id, doc);
      }
    }

    private void addBlock(Term replaced) throws IOException {
      List<Document> block = new ArrayList<>();
      // Where Lucene sorts an index, it wants a block deleted as a whole or not at all.
      for (int i = sort == null ? 1 + random.nextInt(5) : 1; i > 0; i--) {
        Doc doc = newDoc(nextId++);
        docs.put(doc.id, doc);
        block.add(document(doc));
      }
      writer.updateDocuments(replaced, block);
    }

    private void update() throws IOException {
      for (int i = random.nextInt(20); i >= 0; i--) {
        int id = someId();
        if (random.nextInt(10) == 0) {
          docs.remove(id);
          addBlock(term(id));
        } else {
          Doc doc = newDoc(id);
          writer.updateDocument(term(id), document(doc));
          docs.put(id, doc);
          nextId = Math.max(nextId, id + 1);
        }
      }
    }

    private void softUpdate() throws IOException {
      for (int i = random.nextInt(20); i >= 0; i--) {
        Doc doc = newDoc(someId());
        writer.softUpdateDocument(term(doc.id), document(doc), softDeleted());
        docs.put(doc.id, doc);
        nextId = Math.max(nextId, doc.id + 1);
      }
    }

    private void deleteByTerm() throws IOException {
      for (int i = random.nextInt(10); i >= 0; i--) {
        int id = someId();
        writer.deleteDocuments(term(id));
        docs.remove(id);
      }
    }

    private void deleteByQuery(IndexWriter writer, Map<Integer, Doc> docs) throws IOException {
      int from = random.nextInt(RANKS);
      int to = from + random.nextInt(random.nextInt(10) == 0 ? RANKS : RANKS / 20);
      writer.deleteDocuments(IntField.newRangeQuery(RANK, from, to));
      docs.values().removeIf(doc -> doc.rank >= from && doc.rank <= to);
    }

    private void softDelete() throws IOException {
      for (int i = random.nextInt(10); i >= 0; i--) {
        int id = someId();
        writer.updateDocValues(term(id), softDeleted());
        valuesUpdated = true;
        docs.remove(id);
      }
    }

    private void deleteAll() throws IOException {
      writer.deleteAll();
      docs.clear();
    }

    private void commit() throws IOException {
      writer.commit();
      committed = new TreeMap<>(docs);
    }

    private void rollback() throws IOException {
      writer.rollback();
      docs = new TreeMap<>(committed);
      writer = new IndexWriter(directory, config());
      readsWriter = false; // the reader of the writer before goes on seeing what it saw
    }

    private void restart() throws IOException {
      commit();
      writer.close();
      writer = new IndexWriter(directory, config());
      readsWriter = false;
    }

    /** Vectors to come are unlike those before. */
    private void moveOn() {
      centers = new double[fields.size()][];
      for (int i = 0; i < centers.length; i++) {
        centers[i] = random.doubles(fields.get(i).dimension, -2, 2).toArray();
      }
    }

    private void addIndex(boolean asReaders) throws IOException {
      Map<Integer, Doc> added = new TreeMap<>();
      try (Directory other = new ByteBuffersDirectory()) {
        try (IndexWriter otherWriter = new IndexWriter(other, config())) {
          for (int i = random.nextInt(300); i >= 0; i--) {
            Doc doc = newDoc(nextId++);
            added.put(doc.id, doc);
            otherWriter.addDocument(document(doc));
          }
          deleteByQuery(otherWriter, added);
          int id = nextId - 1;
          added.remove(id);
          otherWriter.updateDocValues(term(id), softDeleted());
        }
        if (asReaders) {
          try (DirectoryReader otherReader =
              new SoftDeletesDirectoryReaderWrapper(DirectoryReader.open(other), SOFT_DELETED)) {
            writer.addIndexes(
                otherReader.leaves().stream()
                    .map(leaf -> (CodecReader) leaf.reader())
                    .toArray(CodecReader[]::new));
          }
        } else {
          writer.addIndexes(other);
        }
      }
      docs.putAll(added);
    }

    private void reopen() throws IOException {
      DirectoryReader newer = null;
      // Lucene takes a reader for current where values were updated and flushed, and nothing else.
      if (readsWriter && !valuesUpdated && random.nextInt(4) > 0) {
        newer = DirectoryReader.openIfChanged(reader);
        if (newer == null) {
          newer = reader;
        }
      } else if (random.nextInt(4) > 0) {
        newer = DirectoryReader.open(writer);
        readsWriter = true;
      } else {
        commit();
        newer = openCommitted();
        readsWriter = false;
      }
      if (reader != null && newer != reader) {
        reader.close();
      }
      reader = newer;
      valuesUpdated = false;
      seen = new TreeMap<>(docs);
    }

    private DirectoryReader openCommitted() throws IOException {
      return new SoftDeletesDirectoryReaderWrapper(DirectoryReader.open(directory), SOFT_DELETED);
    }

    private void search(boolean filtered) throws IOException {
      int f = random.nextInt(fields.size());
      VectorField field = fields.get(f);
      Doc[] all = seen.values().stream().filter(doc -> doc.vectors[f] != null).toArray(Doc[]::new);
      float[] query =
          all.length == 0 || random.nextBoolean()
              ? vector(f)
              : all[random.nextInt(all.length)].vectors[f];
      int from = filtered ? random.nextInt(RANKS) : 0;
      int to = filtered ? from + (int) Math.pow(RANKS, random.nextDouble()) : RANKS;
      Query filter = filtered ? IntField.newRangeQuery(RANK, from, to) : null;
      int[] matches =
          Arrays.stream(
                  BruteForce.top(
                      all.length,
                      all.length,
                      i -> field.similarity.compare(query, all[i].vectors[f]),
                      i -> all[i].rank >= from && all[i].rank <= to))
              .map(i -> all[i].id)
              .toArray();
      int k =
          switch (random.nextInt(4)) {
            case 0 -> 1;
            case 1 -> 10;
            case 2 -> 1 + random.nextInt(100);
            default -> 1 + random.nextInt(2 * MANY);
          };
      var knn = new KnnFloatVectorQuery(field.name, query, k, filter);
      ScoreDoc[] hits = new IndexSearcher(reader).search(knn, k).scoreDocs;
      int[] found = VectorIndex.ids(reader, hits);
      var expected =
          new ExpectedHits(field.similarity, query, id -> seen.get(id).vectors[f], matches, k);
      expected.check(found, hits);
      if (found.length > 0) {
        experience.recall += expected.recall(found);
        experience.met(Met.HITS);
      }
      for (LeafReaderContext leaf : reader.leaves()) {
        experience.met(kind(leaf, field.name));
      }
      if (reader.leaves().size() > 1) {
        experience.met(Met.SEVERAL_SEGMENTS);
      }
    }

    private static Met kind(LeafReaderContext leaf, String field) throws IOException {
      if (leaf.reader().getFloatVectorValues(field) == null) {
        return Met.WITHOUT_FIELD;
      }
      QuantizedField codes = VectorIndex.reader(leaf.reader(), field).quantizedOrNull(field);
      return codes == null ? Met.FLOATS : codes.graph() == null ? Met.BLOCKS : Met.GRAPH;
    }

    /** Ends the life, and looks at what it leaves. */
    void end() throws IOException {
      reader.close();
      writer.close();
      VectorIndex.check(directory);
      reader = openCommitted();
      assertEquals(docs.size(), reader.numDocs());
      for (int i = 0; i < fields.size(); i++) {
        Map<Integer, float[]> vectors = new TreeMap<>();
        for (Doc doc : docs.values()) {
          if (doc.vectors[i] != null) {
            vectors.put(doc.id, doc.vectors[i]);
          }
        }
        VectorIndex.assertVectors(reader, fields.get(i).name, vectors);
        for (LeafReaderContext leaf : reader.leaves()) {
          assertCodes(leaf, fields.get(i).name);
        }
      }
    }

    /**
     * However a code came into its segment, it is what the segment's codebook makes of its vector.
     */
    private static void assertCodes(LeafReaderContext leaf, String field) throws IOException {
      FloatVectorValues values = leaf.reader().getFloatVectorValues(field);
      QuantizedField codes =
          values == null ? null : VectorIndex.reader(leaf.reader(), field).quantizedOrNull(field);
      if (codes == null) {
        return;
      }
      ProductQuantizer quantizer = codes.codes().quantizer();
      QuantizedField.CodeReader reader = codes.codeReader();
      byte[] code = new byte[quantizer.layout().codeBytes()];
      for (int ord = 0; ord < values.size(); ord++) {
        reader.copy(ord, code);
        assertArrayEquals(quantizer.encode(values.vectorValue(ord)), code, "code of " + ord);
      }
    }
  }

  private static void live(long seed, Experience experience) throws IOException {
    try (Life life = new Life(seed, experience)) {
      for (int step = 0; step < STEPS; step++) {
        life.step();
      }
      life.end();
    }
  }

  @Test
  void anIndexIsWhatItsHistorySays(Random random) {
    Experience experience = new Experience();
    List<AssertionError> failures = new ArrayList<>();
    for (int i = 0; i < (CASE == null ? CASES : 1); i++) {
      long seed = CASE == null ? random.nextLong() : Long.parseUnsignedLong(CASE, 16);
      try {
        live(seed, experience);
      } catch (IOException | RuntimeException | AssertionError e) {
        failures.add(new AssertionError("-Dtests.case=" + Long.toHexString(seed) + ": " + e, e));
      }
    }
    assertAll(
        failures.stream()
            .map(
                failure ->
                    () -> {
                      throw failure;
                    }));
    if (CASE == null) {
      double recall = experience.recall / experience.met.get(Met.HITS);
      Figures.print("%d lives: %s, met %s", CASES, experience.steps, experience.met);
      assertTrue(recall >= LEAST_RECALL, "recall " + recall);
      assertEquals(EnumSet.allOf(Met.class), experience.met.keySet());
      assertEquals(EnumSet.allOf(Step.class), experience.steps.keySet());
    }
  }
}
