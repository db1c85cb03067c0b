package io.pq32.lucene;

import static io.pq32.lucene.VectorIndex.FIELD;
import static io.pq32.lucene.VectorIndex.ID;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pq32.quantization.BruteForce;
import io.pq32.quantization.Effort;
import io.pq32.quantization.PqLayout;
import io.pq32.quantization.ProductQuantizer;
import io.pq32.quantization.Vectors;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.apache.lucene.codecs.KnnVectorsFormat;
import org.apache.lucene.document.IntField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.KnnVectorValues;
import org.apache.lucene.index.LeafReader;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.SortedNumericDocValues;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.KnnFloatVectorQuery;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.Directory;
import org.apache.lucene.util.InfoStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** When is a codebook trained, kept, and given up? */
class CodebookLifeTest {
  private static final VectorSimilarityFunction SIMILARITY = VectorSimilarityFunction.EUCLIDEAN;
  private static final int DIMENSION = 64;
  private static final int MIN_COUNT = 500;

  /** Drift is a statistical judgement: fixed numbers, or one run in a thousand would be unlucky. */
  private final Random random = new Random(32);

  private final Directory directory = new ByteBuffersDirectory();
  private final Messages messages = new Messages();
  private final KnnVectorsFormat format =
      new Pq32HnswVectorsFormat(Storage.codes().withMinQuantizedCount(MIN_COUNT));

  @AfterEach
  void close() throws IOException {
    directory.close();
  }

  /** Remembers what the format says. */
  private static final class Messages extends InfoStream {
    final List<String> all = new ArrayList<>();

    @Override
    public void message(String component, String message) {
      all.add(message);
    }

    @Override
    public boolean isEnabled(String component) {
      return component.equals(CodebookPolicy.INFO_COMPONENT);
    }

    @Override
    public void close() {}

    long trained() {
      return all.stream().filter(message -> message.startsWith("trained codebook")).count();
    }

    long trainedOn(int count) {
      return all.stream()
          .filter(message -> message.startsWith("trained codebook"))
          .filter(message -> message.contains(" on " + count + " vectors "))
          .count();
    }

    long copied(int copied, int of) {
      String words = "copied " + copied + " codes of " + of + ",";
      return all.stream().filter(message -> message.contains(words)).count();
    }
  }

  private IndexWriter writer(KnnVectorsFormat format) throws IOException {
    return new IndexWriter(directory, VectorIndex.mergingConfig(format).setInfoStream(messages));
  }

  private static StoredCodes codesOrNull(LeafReader leaf) {
    QuantizedField field = VectorIndex.reader(leaf, FIELD).quantizedOrNull(FIELD);
    return field == null ? null : field.codes();
  }

  /** Identity of the codebook of each segment, null for floats only. */
  private static List<String> codebooks(DirectoryReader reader) {
    List<String> ids = new ArrayList<>();
    for (LeafReaderContext leaf : reader.leaves()) {
      StoredCodes codes = codesOrNull(leaf.reader());
      ids.add(codes == null ? null : codes.meta().codebookId());
    }
    return ids;
  }

  private static Map<Integer, byte[]> codesById(DirectoryReader reader) throws IOException {
    Map<Integer, byte[]> byId = new HashMap<>();
    for (LeafReaderContext leaf : reader.leaves()) {
      QuantizedField field = VectorIndex.reader(leaf.reader(), FIELD).quantizedOrNull(FIELD);
      QuantizedField.CodeReader codes = field.codeReader();
      SortedNumericDocValues ids = leaf.reader().getSortedNumericDocValues(ID);
      KnnVectorValues.DocIndexIterator iterator =
          leaf.reader().getFloatVectorValues(FIELD).iterator();
      while (iterator.nextDoc() != KnnVectorValues.DocIndexIterator.NO_MORE_DOCS) {
        ids.advanceExact(iterator.docID());
        byte[] code = new byte[field.codes().meta().layout().codeBytes()];
        codes.copy(iterator.index(), code);
        byId.put((int) ids.nextValue(), code);
      }
    }
    return byId;
  }

  private void addSegment(IndexWriter writer, float[][] vectors, int from, int to)
      throws IOException {
    VectorIndex.add(writer, vectors, from, to, SIMILARITY);
    writer.flush();
  }

  @Test
  void laterFlushesKeepTheFirstCodebook() throws IOException {
    float[][] vectors = Vectors.clustered(random, 2000, DIMENSION, 30, 0.5);
    try (IndexWriter writer = writer(format)) {
      addSegment(writer, vectors, 0, 1500);
      addSegment(writer, vectors, 1500, 1900); // below the count for which one would be trained
      addSegment(writer, vectors, 1900, 1980); // fewer bytes of floats than a codebook has
      try (DirectoryReader reader = DirectoryReader.open(writer)) {
        List<String> ids = codebooks(reader);
        assertNotNull(ids.get(0));
        assertEquals(Arrays.asList(ids.get(0), ids.get(0), null), ids);
      }
    }
    assertEquals(1, messages.trained());
  }

  @Test
  void theFlushesAboveAreLargerAndSmallerThanACodebook() {
    int codebook = ProductQuantizer.byteSize(PqLayout.pq32(DIMENSION));
    assertTrue(400 * DIMENSION * Float.BYTES > codebook);
    assertTrue(80 * DIMENSION * Float.BYTES < codebook);
  }

  @Test
  void fewVectorsStoreFloatsOnly() throws IOException {
    float[][] vectors = Vectors.clustered(random, MIN_COUNT, DIMENSION, 30, 0.5);
    try (IndexWriter writer = writer(format)) {
      addSegment(writer, vectors, 0, MIN_COUNT - 1);
      addSegment(writer, vectors, MIN_COUNT - 1, MIN_COUNT);
      try (DirectoryReader reader = DirectoryReader.open(writer)) {
        assertEquals(Arrays.asList(null, null), codebooks(reader));
      }
      assertEquals(0, messages.trained());
      writer.forceMerge(1); // together they are enough
      try (DirectoryReader reader = DirectoryReader.open(writer)) {
        assertNotNull(codebooks(reader).get(0));
      }
      assertEquals(1, messages.trained());
      assertEquals(1, messages.copied(0, MIN_COUNT));
    }
  }

  @Test
  void aMergeCopiesCodes() throws IOException {
    float[][] vectors = Vectors.clustered(random, 2000, DIMENSION, 30, 0.5);
    Map<Integer, byte[]> before;
    try (IndexWriter writer = writer(format)) {
      addSegment(writer, vectors, 0, 900);
      addSegment(writer, vectors, 900, 1300);
      addSegment(writer, vectors, 1300, 2000);
      try (DirectoryReader reader = DirectoryReader.open(writer)) {
        before = codesById(reader);
      }
      writer.deleteDocuments(IntField.newRangeQuery(ID, 100, 199));
      writer.deleteDocuments(IntField.newRangeQuery(ID, 1000, 1049));
      writer.forceMerge(1);
      try (DirectoryReader reader = DirectoryReader.open(writer)) {
        Map<Integer, byte[]> after = codesById(reader);
        assertEquals(1850, after.size());
        after.forEach((id, code) -> assertArrayEquals(before.get(id), code, "code of " + id));
      }
    }
    assertEquals(1, messages.trained());
    assertEquals(1, messages.copied(1850, 1850));
  }

  @Test
  void aMergeKeepsTheCodebookMostVectorsHave() throws IOException {
    float[][] vectors = Vectors.clustered(random, 3200, DIMENSION, 30, 0.5);
    // Formats of two processes: neither knows the other's codebook.
    try (IndexWriter writer = writer(format)) {
      addSegment(writer, vectors, 0, 1200);
    }
    String kept;
    try (IndexWriter writer =
        writer(new Pq32HnswVectorsFormat(Storage.codes().withMinQuantizedCount(MIN_COUNT)))) {
      addSegment(writer, vectors, 1200, 3000);
      addSegment(writer, vectors, 3000, 3080);
      try (DirectoryReader reader = DirectoryReader.open(writer)) {
        List<String> ids = codebooks(reader);
        assertNotEquals(ids.get(0), ids.get(1));
        kept = ids.get(1);
      }
      writer.forceMerge(1);
      try (DirectoryReader reader = DirectoryReader.open(writer)) {
        assertEquals(List.of(kept), codebooks(reader));
        // Codes that were made anew are what the codebook says.
        ProductQuantizer quantizer = codesOrNull(reader.leaves().get(0).reader()).quantizer();
        Map<Integer, byte[]> codes = codesById(reader);
        for (int id = 0; id < 3080; id += 77) {
          assertArrayEquals(quantizer.encode(vectors[id]), codes.get(id));
        }
      }
    }
    assertEquals(2, messages.trained());
    assertEquals(1, messages.copied(1800, 3080));
  }

  @Test
  void vectorsUnlikeThoseBeforeGetTheirOwnCodebook() throws IOException {
    float[][] vectors = new float[2400][];
    float[][] first = Vectors.clustered(random, 800, DIMENSION, 5, 0.2);
    float[][] second = Vectors.clustered(random, 1600, DIMENSION, 5, 0.2); // other centers
    System.arraycopy(first, 0, vectors, 0, 800);
    System.arraycopy(second, 0, vectors, 800, 1600);
    try (IndexWriter writer = writer(format)) {
      addSegment(writer, vectors, 0, 800);
      addSegment(writer, vectors, 800, 2400);
      String later;
      try (DirectoryReader reader = DirectoryReader.open(writer)) {
        List<String> ids = codebooks(reader);
        assertNotEquals(ids.get(0), ids.get(1));
        later = ids.get(1);
      }
      assertEquals(2, messages.trained());
      writer.forceMerge(1); // neither knows the other's clusters
      try (DirectoryReader reader = DirectoryReader.open(writer)) {
        assertNotEquals(later, codebooks(reader).get(0));
      }
    }
    assertEquals(3, messages.trained());
    assertEquals(1, messages.copied(0, 2400));
  }

  @Test
  void oneOutlierIsNoDrift() throws IOException {
    float[][] vectors = Vectors.clustered(random, 1600, DIMENSION, 30, 0.5);
    Arrays.fill(vectors[1000], 1e12f);
    try (IndexWriter writer = writer(format)) {
      addSegment(writer, vectors, 0, 800);
      addSegment(writer, vectors, 800, 1600);
      writer.forceMerge(1);
      try (DirectoryReader reader = DirectoryReader.open(writer)) {
        assertNotNull(codebooks(reader).get(0));
      }
    }
    assertEquals(1, messages.trained());
    assertEquals(1, messages.copied(1600, 1600));
  }

  @Test
  void aNewProcessLearnsTheCodebookFromAMerge() throws IOException {
    float[][] vectors = Vectors.clustered(random, 2100, DIMENSION, 30, 0.5);
    String id;
    try (IndexWriter writer = writer(format)) {
      addSegment(writer, vectors, 0, 1500);
      try (DirectoryReader reader = DirectoryReader.open(writer)) {
        id = codebooks(reader).get(0);
      }
    }
    KnnVectorsFormat restarted =
        new Pq32HnswVectorsFormat(Storage.codes().withMinQuantizedCount(MIN_COUNT));
    try (IndexWriter writer = writer(restarted)) {
      addSegment(writer, vectors, 1500, 1800);
      try (DirectoryReader reader = DirectoryReader.open(writer)) {
        assertEquals(Arrays.asList(id, null), codebooks(reader));
      }
      writer.forceMerge(1);
      addSegment(writer, vectors, 1800, 2100);
      try (DirectoryReader reader = DirectoryReader.open(writer)) {
        assertEquals(List.of(id, id), codebooks(reader));
      }
    }
    assertEquals(1, messages.trained());
  }

  @Test
  void indexesAndFieldsDoNotShareCodebooks() throws IOException {
    float[][] vectors = Vectors.clustered(random, 1600, DIMENSION, 30, 0.5);
    try (IndexWriter writer = writer(format)) {
      addSegment(writer, vectors, 0, 800);
    }
    try (Directory other = new ByteBuffersDirectory()) {
      // Too few for a codebook of their own, and that of the first index is not theirs.
      try (IndexWriter writer = new IndexWriter(other, VectorIndex.writerConfig(format))) {
        VectorIndex.add(writer, vectors, 800, 1200, SIMILARITY);
      }
      try (DirectoryReader reader = DirectoryReader.open(other)) {
        assertNull(codebooks(reader).get(0));
      }
    }
  }

  @Test
  void whatChangesTheCodesChangesTheCodebook() throws IOException {
    float[][] vectors = Vectors.clustered(random, 1600, DIMENSION, 30, 0.5);
    try (IndexWriter writer = writer(format)) {
      addSegment(writer, vectors, 0, 800);
    }
    KnnVectorsFormat wider =
        new Pq32HnswVectorsFormat(
            Storage.codes().withMinQuantizedCount(MIN_COUNT).withBytesPerVector(48));
    try (IndexWriter writer = writer(wider)) {
      addSegment(writer, vectors, 800, 1600);
      writer.forceMerge(1);
      try (DirectoryReader reader = DirectoryReader.open(writer)) {
        assertEquals(48, codesOrNull(reader.leaves().get(0).reader()).meta().layout().codeBytes());
      }
    }
    assertEquals(1, messages.copied(800, 1600) + messages.copied(0, 1600));
  }

  /**
   * Normal vectors whose principal axes turn by a right angle between time 0 and 1, and whose mean
   * moves by a deviation of the first of them.
   */
  private float[] drifting(double time) {
    float[] vector = new float[DIMENSION];
    double[] values = new double[DIMENSION];
    for (int d = 0; d < DIMENSION; d++) {
      values[d] = random.nextGaussian() / Math.sqrt(1 + d);
    }
    double cos = Math.cos(time * Math.PI / 2);
    double sin = Math.sin(time * Math.PI / 2);
    for (int d = 0; d < DIMENSION / 2; d++) {
      int other = DIMENSION - 1 - d;
      vector[d] = (float) (cos * values[d] - sin * values[other] + time);
      vector[other] = (float) (sin * values[d] + cos * values[other]);
    }
    return vector;
  }

  @Test
  void aCodebookFollowsADriftingDistribution() throws IOException {
    int window = Effort.of(3000, 20_000); // documents of the index, the newest ones
    int rounds = 50;
    int renewed = window * 6 / 100;
    double end = rounds * renewed;
    float[][] vectors = new float[window + rounds * renewed][];
    for (int i = 0; i < vectors.length; i++) {
      vectors[i] = drifting(Math.max(0, i - window) / end);
    }
    try (IndexWriter writer = writer(format)) {
      addSegment(writer, vectors, 0, window);
      for (int round = 1; round <= rounds; round++) {
        int to = window + round * renewed;
        int from = to - window;
        writer.deleteDocuments(IntField.newRangeQuery(ID, 0, from - 1));
        addSegment(writer, vectors, to - renewed, to);
        writer.forceMerge(1);
        if (round % 10 == 0) {
          float[][] probe = new float[200][];
          for (int i = 0; i < probe.length; i++) {
            int like = from + random.nextInt(window);
            probe[i] = drifting(Math.max(0, like - window) / end);
          }
          try (DirectoryReader reader = DirectoryReader.open(writer)) {
            assertEquals(window, reader.maxDoc());
            assertFits(reader, Arrays.copyOfRange(vectors, from, to), from, probe);
          }
        }
      }
    }
    // A flush of enough vectors trains too: the newest are quite unlike the whole window.
    long trained = messages.trainedOn(window);
    assertTrue(trained >= 3, trained + " trained");
    assertTrue(trained <= rounds / 2, trained + " trained");
  }

  /**
   * Compares the one segment with that of a new index of the same vectors.
   *
   * @param from id of the first vector
   * @param probe other vectors like them
   */
  private static void assertFits(
      DirectoryReader reader, float[][] vectors, int from, float[][] probe) throws IOException {
    try (Directory other = new ByteBuffersDirectory()) {
      VectorIndex.write(other, Storage.CODES.format(), vectors, SIMILARITY);
      try (DirectoryReader newReader = DirectoryReader.open(other)) {
        double loss = loss(reader.leaves().get(0).reader());
        double newLoss =
            codesOrNull(newReader.leaves().get(0).reader()).codebook().trainedDistortion();
        double recall = recall(reader, vectors, from, probe);
        double newRecall = recall(newReader, vectors, 0, probe);
        // MAX_DRIFT is 1.05; the rest is what measurements on some hundred vectors may be off.
        assertTrue(loss <= 1.2 * newLoss, loss + "; a new codebook " + newLoss);
        assertTrue(recall >= newRecall - 0.01, "recall " + recall + "; a new index " + newRecall);
      }
    }
  }

  /** What the codebook of a segment loses of its vectors. */
  private static double loss(LeafReader leaf) throws IOException {
    FloatVectors vectors = new FloatVectors(leaf.getFloatVectorValues(FIELD));
    int[] all = IntStream.range(0, vectors.size()).toArray();
    return codesOrNull(leaf).quantizer().distortion(vectors, all);
  }

  private static double recall(
      DirectoryReader reader, float[][] vectors, int from, float[][] queries) throws IOException {
    IndexSearcher searcher = new IndexSearcher(reader);
    double recall = 0;
    for (float[] query : queries) {
      var hits = searcher.search(new KnnFloatVectorQuery(FIELD, query, 10), 10).scoreDocs;
      int[] found = Arrays.stream(VectorIndex.ids(reader, hits)).map(id -> id - from).toArray();
      int[] nearest = VectorIndex.nearest(vectors, query, 10, SIMILARITY, _ -> true);
      recall += BruteForce.recall(nearest, found) / queries.length;
    }
    return recall;
  }
}
