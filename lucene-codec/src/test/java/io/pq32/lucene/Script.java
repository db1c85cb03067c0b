package io.pq32.lucene;

import static io.pq32.lucene.VectorIndex.FIELD;
import static io.pq32.lucene.VectorIndex.ID;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pq32.quantization.BruteForce;
import io.pq32.quantization.Vectors;
import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.IntField;
import org.apache.lucene.document.NumericDocValuesField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.FloatVectorValues;
import org.apache.lucene.index.IndexReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.KnnVectorValues;
import org.apache.lucene.index.LeafReader;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.NumericDocValues;
import org.apache.lucene.index.ReaderUtil;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.KnnFloatVectorQuery;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.util.Bits;

/**
 * Operations without end, and what an index holds after any number of them: adds, updates of
 * documents of any age, and deletes that keep the index from growing. An operation's number says
 * all of it, so that another process knows what this one has written.
 */
final class Script {
  static final VectorSimilarityFunction SIMILARITY = VectorSimilarityFunction.EUCLIDEAN;

  /** Number of the operation that wrote a document. */
  private static final String OPERATION = "operation";

  /** Key of the commit's user data for the number of operations in it. */
  private static final String OPERATIONS = "operations";

  private static final int K = 10;
  private static final double MIN_RECALL = 0.95;

  /** One operation in so many updates a document; so many lie between two deletes. */
  private static final int UPDATE_INTERVAL = 4;

  private static final int DELETE_INTERVAL = 16;

  private final int window;
  private final float[][] pool; // vectors of the operations, in turn

  /**
   * @param window a document is deleted so many operations after it was first added
   */
  Script(long seed, int dimension, int window) {
    this.window = window;
    this.pool = Vectors.anisotropic(new Random(seed), 2 * window, dimension);
  }

  float[] vector(int operation) {
    return pool[operation % pool.length];
  }

  /** Number of the document that an operation adds or updates: that of the one that added it. */
  private int id(int operation) {
    if (operation % UPDATE_INTERVAL == UPDATE_INTERVAL - 1) {
      int back = 1 + Math.floorMod(operation * 0x9e3779b9, Math.min(operation, window));
      int updated = id(operation - back);
      if (updated > operation - window) { // not deleted since
        return updated;
      }
    }
    return operation;
  }

  private static boolean deletes(int operation) {
    return operation % DELETE_INTERVAL == DELETE_INTERVAL - 1;
  }

  void apply(IndexWriter writer, int operation) throws IOException {
    int id = id(operation);
    Document document = VectorIndex.document(id, vector(operation), SIMILARITY);
    document.add(new NumericDocValuesField(OPERATION, operation));
    if (id == operation) {
      writer.addDocument(document);
    } else {
      writer.updateDocuments(IntField.newExactQuery(ID, id), List.of(document));
    }
    if (deletes(operation)) {
      writer.deleteDocuments(IntField.newRangeQuery(ID, 0, operation - window));
    }
  }

  /** Applies the operations from one to before another. */
  void apply(IndexWriter writer, int from, int to) throws IOException {
    for (int operation = from; operation < to; operation++) {
      apply(writer, operation);
    }
  }

  /** Commits, and notes in the commit how many operations it holds. */
  static void commit(IndexWriter writer, int operations) throws IOException {
    writer.setLiveCommitData(Map.of(OPERATIONS, Integer.toString(operations)).entrySet());
    writer.commit();
  }

  /** How many operations a commit holds. */
  static int operations(DirectoryReader reader) throws IOException {
    return operations(reader.getIndexCommit().getUserData());
  }

  /** How many operations the commit holds that a writer has opened or made. */
  static int operations(IndexWriter writer) {
    Map<String, String> userData = new TreeMap<>();
    if (writer.getLiveCommitData() != null) {
      writer.getLiveCommitData().forEach(entry -> userData.put(entry.getKey(), entry.getValue()));
    }
    return operations(userData);
  }

  private static int operations(Map<String, String> userData) {
    return Integer.parseInt(userData.getOrDefault(OPERATIONS, "0"));
  }

  /** The operation that wrote each document there is after so many operations, by its number. */
  private TreeMap<Integer, Integer> after(int operations) {
    TreeMap<Integer, Integer> operationById = new TreeMap<>();
    for (int operation = 0; operation < operations; operation++) {
      operationById.put(id(operation), operation);
      if (deletes(operation)) {
        operationById.headMap(operation - window, true).clear();
      }
    }
    return operationById;
  }

  /** Fails unless a reader has exactly what was written by so many operations, bit for bit. */
  void assertHolds(IndexReader reader, int operations) throws IOException {
    TreeMap<Integer, Integer> missing = after(operations);
    assertEquals(missing.size(), reader.numDocs());
    for (LeafReaderContext leaf : reader.leaves()) {
      FloatVectorValues vectors = leaf.reader().getFloatVectorValues(FIELD);
      KnnVectorValues.DocIndexIterator docs = vectors.iterator();
      NumericDocValues written = leaf.reader().getNumericDocValues(OPERATION);
      Bits live = leaf.reader().getLiveDocs();
      while (docs.nextDoc() != KnnVectorValues.DocIndexIterator.NO_MORE_DOCS) {
        assertTrue(written.advanceExact(docs.docID()));
        int operation = (int) written.longValue();
        assertArrayEquals(vector(operation), vectors.vectorValue(docs.index()));
        if (live == null || live.get(docs.docID())) {
          assertEquals(operation, missing.remove(id(operation)), "of " + operations);
        }
      }
    }
    assertTrue(missing.isEmpty(), "missing: " + missing);
  }

  /** Fails unless some searches find what they should. */
  void assertFinds(IndexReader reader, Random random) throws IOException {
    int queries = 12;
    double recall = 0;
    for (int i = 0; i < queries; i++) {
      recall += recall(new IndexSearcher(reader), pool[random.nextInt(pool.length)]);
    }
    assertRecall(recall / queries);
  }

  static void assertRecall(double mean) {
    assertTrue(mean >= MIN_RECALL, "recall " + mean);
  }

  /**
   * Recall of one search, of which all else is asserted: as many hits as there can be, each of them
   * live and a document of its own, with the exact score of its vector, best first.
   */
  double recall(IndexSearcher searcher, float[] query) throws IOException {
    IndexReader reader = searcher.getIndexReader();
    ScoreDoc[] hits = search(searcher, query);
    assertEquals(Math.min(K, reader.numDocs()), hits.length);
    int[] found = new int[hits.length];
    Set<Integer> ids = new HashSet<>();
    for (int i = 0; i < hits.length; i++) {
      LeafReaderContext leaf =
          reader.leaves().get(ReaderUtil.subIndex(hits[i].doc, reader.leaves()));
      int doc = hits[i].doc - leaf.docBase;
      Bits live = leaf.reader().getLiveDocs();
      assertTrue(live == null || live.get(doc), "document " + hits[i].doc + " is deleted");
      found[i] = operation(leaf.reader(), doc);
      assertTrue(ids.add(id(found[i])), "two versions of document " + id(found[i]));
      float expected = SIMILARITY.compare(query, vector(found[i]));
      assertEquals(expected, hits[i].score, 1e-5 * expected);
      assertTrue(i == 0 || hits[i].score <= hits[i - 1].score, "best first");
    }
    return BruteForce.recall(nearest(reader, query), found);
  }

  static ScoreDoc[] search(IndexReader reader, float[] query) throws IOException {
    return search(new IndexSearcher(reader), query);
  }

  private static ScoreDoc[] search(IndexSearcher searcher, float[] query) throws IOException {
    return searcher.search(new KnnFloatVectorQuery(FIELD, query, K), K).scoreDocs;
  }

  private static int operation(LeafReader leaf, int doc) throws IOException {
    NumericDocValues written = leaf.getNumericDocValues(OPERATION);
    assertTrue(written.advanceExact(doc));
    return (int) written.longValue();
  }

  /** Operations that wrote the nearest of all live documents. */
  private int[] nearest(IndexReader reader, float[] query) throws IOException {
    int[] operations = new int[reader.numDocs()];
    int count = 0;
    for (LeafReaderContext leaf : reader.leaves()) {
      NumericDocValues written = leaf.reader().getNumericDocValues(OPERATION);
      Bits live = leaf.reader().getLiveDocs();
      while (written.nextDoc() != NumericDocValues.NO_MORE_DOCS) {
        if (live == null || live.get(written.docID())) {
          operations[count++] = (int) written.longValue();
        }
      }
    }
    assertEquals(operations.length, count);
    int[] nearest = BruteForce.top(count, K, i -> SIMILARITY.compare(query, vector(operations[i])));
    for (int i = 0; i < nearest.length; i++) {
      nearest[i] = operations[nearest[i]];
    }
    return nearest;
  }
}
