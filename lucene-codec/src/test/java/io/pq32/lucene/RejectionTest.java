package io.pq32.lucene;

import static io.pq32.lucene.VectorIndex.FIELD;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pq32.quantization.SeededRandom;
import io.pq32.quantization.Vectors;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.KnnFloatVectorField;
import org.apache.lucene.document.NumericDocValuesField;
import org.apache.lucene.document.StringField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.FloatVectorValues;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.Term;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.KnnFloatVectorQuery;
import org.apache.lucene.search.TermQuery;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.Directory;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A document with a vector that is not finite is rejected, whichever way it comes, and nothing is
 * left of it.
 */
@ExtendWith(SeededRandom.class)
class RejectionTest {
  private static final VectorSimilarityFunction SIMILARITY = VectorSimilarityFunction.EUCLIDEAN;
  private static final int DIMENSION = 8;
  private static final String KEY = "key";
  private static final String OTHER = "other";
  private static final String SOFT_DELETED = "soft";

  private static Document document(int id, float[] vector, float[] other) {
    Document document = VectorIndex.document(id, vector, SIMILARITY);
    document.add(new StringField(KEY, "key" + id, Field.Store.NO));
    document.add(new KnnFloatVectorField(OTHER, other, SIMILARITY));
    return document;
  }

  /** A document whose first or second vector was finite when its field was made. */
  private static Document bad(int id, float value, boolean first) {
    float[] vector = new float[DIMENSION];
    float[] other = new float[DIMENSION];
    Document document = document(id, vector, other);
    (first ? vector : other)[5] = value;
    return document;
  }

  private static void assertRejected(float value, boolean first, Executable call) {
    var e = assertThrows(IllegalArgumentException.class, call);
    assertEquals(
        "field \""
            + (first ? FIELD : OTHER)
            + "\": vector value at position 5 is not finite: "
            + value,
        e.getMessage());
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void leavesNoTrace(Storage storage, Random random) throws IOException {
    float[][] vectors = Vectors.gaussian(random, 400, DIMENSION);
    Map<Integer, float[]> byId = new TreeMap<>();
    int bad = 1000;
    try (Directory directory = new ByteBuffersDirectory()) {
      try (IndexWriter writer =
          new IndexWriter(
              directory,
              VectorIndex.mergingConfig(storage.format()).setSoftDeletesField(SOFT_DELETED))) {
        for (int id = 0; id < vectors.length; id++) {
          writer.addDocument(document(id, vectors[id], vectors[id]));
          byId.put(id, vectors[id]);
          if (id % 20 == 0) {
            float value = List.of(Float.NaN, Float.POSITIVE_INFINITY, -1f / 0).get(id / 20 % 3);
            reject(writer, bad, id, value, id % 40 == 0);
            bad += 10;
          }
          if (id % 150 == 149) {
            writer.flush();
          }
        }
        try (DirectoryReader reader = DirectoryReader.open(writer)) {
          check(reader, byId, bad);
        }
        writer.forceMerge(1);
        assertTrue(writer.isOpen());
      }
      VectorIndex.check(directory);
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        assertEquals(byId.size(), reader.maxDoc());
        check(reader, byId, bad);
      }
    }
  }

  /** Brings a bad vector in every way there is; {@code live} is a document that must stay. */
  private static void reject(IndexWriter writer, int id, int live, float value, boolean first) {
    Term term = new Term(KEY, "key" + live);
    Document good = document(id + 1, new float[DIMENSION], new float[DIMENSION]);
    assertRejected(value, first, () -> writer.addDocument(bad(id, value, first)));
    assertRejected(value, first, () -> writer.updateDocument(term, bad(id, value, first)));
    List<Document> block = List.of(good, bad(id, value, first), good);
    assertRejected(value, first, () -> writer.addDocuments(block));
    assertRejected(value, first, () -> writer.updateDocuments(term, block));
    assertRejected(
        value,
        first,
        () ->
            writer.softUpdateDocument(
                term, bad(id, value, first), new NumericDocValuesField(SOFT_DELETED, 1)));
  }

  private static void check(DirectoryReader reader, Map<Integer, float[]> byId, int end)
      throws IOException {
    assertEquals(byId.size(), reader.numDocs());
    for (LeafReaderContext leaf : reader.leaves()) {
      assertFinite(leaf.reader().getFloatVectorValues(FIELD));
      assertFinite(leaf.reader().getFloatVectorValues(OTHER));
    }
    VectorIndex.assertVectors(reader, FIELD, byId);
    VectorIndex.assertVectors(reader, OTHER, byId);
    IndexSearcher searcher = new IndexSearcher(reader);
    for (int id = 1000; id <= end; id++) {
      assertEquals(0, searcher.count(new TermQuery(new Term(KEY, "key" + id))));
    }
    for (String field : List.of(FIELD, OTHER)) {
      for (int id = 0; id < byId.size(); id += 20) {
        var query = new KnnFloatVectorQuery(field, byId.get(id), 500);
        int[] found = VectorIndex.ids(reader, searcher.search(query, 500).scoreDocs);
        assertEquals(byId.size(), found.length);
        assertEquals(id, found[0]);
      }
    }
  }

  /** Those of deleted documents too: what is rejected is not even buffered. */
  private static void assertFinite(FloatVectorValues values) throws IOException {
    for (int ord = 0; ord < values.size(); ord++) {
      for (float value : values.vectorValue(ord)) {
        assertTrue(Float.isFinite(value), "vector " + ord + " has " + value);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void mayBeTheFirstDocument(Storage storage, Random random) throws IOException {
    float[][] vectors = Vectors.gaussian(random, 200, DIMENSION);
    try (Directory directory = new ByteBuffersDirectory()) {
      try (IndexWriter writer =
          new IndexWriter(directory, VectorIndex.mergingConfig(storage.format()))) {
        assertRejected(Float.NaN, true, () -> writer.addDocument(bad(1000, Float.NaN, true)));
        writer.flush(); // a segment of a document that is none
        VectorIndex.add(writer, vectors, 0, vectors.length, SIMILARITY);
        writer.commit();
        try (DirectoryReader reader = DirectoryReader.open(directory)) {
          var query = new KnnFloatVectorQuery(FIELD, vectors[7], 300);
          var hits = new IndexSearcher(reader).search(query, 300).scoreDocs;
          assertEquals(200, hits.length);
          assertEquals(7, VectorIndex.ids(reader, hits)[0]);
        }
      }
      VectorIndex.check(directory);
    }
  }
}
