package io.pq32.lucene;

import static io.pq32.lucene.VectorIndex.FIELD;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pq32.quantization.SeededRandom;
import io.pq32.quantization.Vectors;
import java.io.IOException;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.apache.lucene.document.Document;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.LeafReader;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.apache.lucene.search.AcceptDocs;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.KnnFloatVectorQuery;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.TopKnnCollector;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.Directory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What may be asked and written: the edges of what is right, and words for what is wrong. */
@ExtendWith(SeededRandom.class)
class InputTest {
  private static final VectorSimilarityFunction SIMILARITY = VectorSimilarityFunction.EUCLIDEAN;

  private static ScoreDoc[] search(DirectoryReader reader, float[] query, int k)
      throws IOException {
    return new IndexSearcher(reader).search(new KnnFloatVectorQuery(FIELD, query, k), k).scoreDocs;
  }

  static Stream<Arguments> dimensionsAndStorages() {
    return Stream.of(1, 2, 31, 33, 257)
        .flatMap(d -> Arrays.stream(Storage.values()).map(storage -> Arguments.of(d, storage)));
  }

  @ParameterizedTest
  @MethodSource("dimensionsAndStorages")
  void anyDimensionWorks(int dimension, Storage storage, Random random) throws IOException {
    assertFindsThemselves(Vectors.gaussian(random, 600, dimension), storage);
  }

  @Test
  void theLargestDimensionWorks(Random random) throws IOException {
    assertFindsThemselves(Vectors.gaussian(random, 150, 4096), Storage.WALK);
  }

  private static void assertFindsThemselves(float[][] vectors, Storage storage) throws IOException {
    try (Directory directory = new ByteBuffersDirectory()) {
      VectorIndex.write(directory, storage.format(), vectors, SIMILARITY);
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        for (int id = 0; id < vectors.length; id += 29) {
          ScoreDoc[] hits = search(reader, vectors[id], 5);
          assertEquals(5, hits.length);
          // On a line, many neighbors are as near as levels of a table can tell.
          assertEquals(1, hits[0].score, vectors[0].length < 8 ? 1e-3 : 0);
        }
      }
    }
  }

  @Test
  void aLargerDimensionIsRejected() throws IOException {
    try (Directory directory = new ByteBuffersDirectory();
        IndexWriter writer =
            new IndexWriter(directory, VectorIndex.writerConfig(Storage.CODES.format()))) {
      Document document = VectorIndex.document(0, new float[4097], SIMILARITY);
      var e = assertThrows(IllegalArgumentException.class, () -> writer.addDocument(document));
      assertTrue(e.getMessage().contains("4096"), e.getMessage());
    }
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void anyNumberOfHitsMayBeAskedFor(Storage storage, Random random) throws IOException {
    float[][] vectors = Vectors.gaussian(random, 1500, 16);
    try (Directory directory = new ByteBuffersDirectory()) {
      VectorIndex.write(directory, storage.format(), vectors, SIMILARITY);
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        for (int k : new int[] {1, 2, 999, 1499, 1500, 1501, 1_000_000}) {
          ScoreDoc[] hits = search(reader, vectors[3], k);
          assertEquals(Math.min(k, 1500), hits.length);
          assertEquals(3, hits[0].doc);
          assertEquals(hits.length, Arrays.stream(hits).map(hit -> hit.doc).distinct().count());
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 63, 64, 65, 99, 100, 101, 255, 256, 257})
  void anyNumberOfVectorsMayBeWritten(int count, Random random) throws IOException {
    float[][] vectors = Vectors.gaussian(random, count, 12);
    for (Storage storage : Storage.values()) {
      try (Directory directory = new ByteBuffersDirectory()) {
        VectorIndex.write(directory, storage.format(), vectors, SIMILARITY);
        try (DirectoryReader reader = DirectoryReader.open(directory)) {
          assertEquals(Math.min(count, 300), search(reader, vectors[0], 300).length);
          assertEquals(count - 1, search(reader, vectors[count - 1], 1)[0].doc);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void vectorsOfTheWidestRangeGiveHits(Storage storage, Random random) throws IOException {
    float[][] vectors = Vectors.gaussian(random, 1000, 16);
    for (int id = 0; id < vectors.length; id++) {
      // Squares up to 1e36 are what Lucene's own scores can hold.
      vectors[id] = Vectors.scaled(new float[][] {vectors[id]}, Math.pow(10, id % 34 - 17))[0];
    }
    try (Directory directory = new ByteBuffersDirectory()) {
      VectorIndex.write(directory, storage.format(), vectors, SIMILARITY);
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        for (int id = 0; id < vectors.length; id += 41) {
          ScoreDoc[] hits = search(reader, vectors[id], 10);
          assertEquals(10, hits.length);
          assertTrue(Arrays.stream(hits).allMatch(hit -> hit.score >= 0 && hit.score <= 1));
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void indexedValuesMustBeFinite(Storage storage, Random random) throws IOException {
    float[][] vectors = Vectors.gaussian(random, 400, 8);
    try (Directory directory = new ByteBuffersDirectory();
        IndexWriter writer =
            new IndexWriter(directory, VectorIndex.writerConfig(storage.format()))) {
      VectorIndex.add(writer, vectors, 0, 200, SIMILARITY);
      float[] bad = new float[8];
      for (float value : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
        bad[6] = 0;
        Document document = VectorIndex.document(999, bad, SIMILARITY);
        bad[6] = value; // Lucene's own check of a new field is behind us
        var e = assertThrows(IllegalArgumentException.class, () -> writer.addDocument(document));
        assertEquals(
            "field \"vector\": vector value at position 6 is not finite: " + value, e.getMessage());
      }
      VectorIndex.add(writer, vectors, 200, 400, SIMILARITY);
      try (DirectoryReader reader = DirectoryReader.open(writer)) {
        assertEquals(400, reader.numDocs());
        ScoreDoc[] hits = search(reader, vectors[300], 500);
        assertEquals(400, hits.length);
        assertEquals(300, VectorIndex.ids(reader, hits)[0]);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void queriesMustBeFiniteAndOfTheFieldsDimension(Storage storage, Random random)
      throws IOException {
    float[][] vectors = Vectors.gaussian(random, 400, 8);
    try (Directory directory = new ByteBuffersDirectory()) {
      VectorIndex.write(directory, storage.format(), vectors, SIMILARITY);
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        LeafReader leaf = reader.leaves().get(0).reader();
        float[] bad = new float[8];
        bad[2] = Float.NEGATIVE_INFINITY;
        assertRejects(
            "field \"vector\": vector value at position 2 is not finite: -Infinity", leaf, bad);
        bad[0] = Float.NaN;
        assertRejects("field \"vector\": vector value at position 0 is not finite: NaN", leaf, bad);
        assertRejects(
            "field \"vector\" has dimension 8; the query vector has 7", leaf, new float[7]);
        assertRejects(
            "field \"vector\" has dimension 8; the query vector has 0", leaf, new float[0]);
        assertThrows(IllegalArgumentException.class, () -> search(reader, new float[9], 3));
      }
    }
  }

  private static void assertRejects(String message, LeafReader leaf, float[] query) {
    var e =
        assertThrows(
            IllegalArgumentException.class,
            () ->
                leaf.searchNearestVectors(
                    FIELD,
                    query,
                    new TopKnnCollector(3, Integer.MAX_VALUE),
                    AcceptDocs.fromLiveDocs(null, leaf.maxDoc())));
    assertEquals(message, e.getMessage());
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void aVisitLimitEndsASearchEarly(Storage storage, Random random) throws IOException {
    float[][] vectors = Vectors.gaussian(random, 3000, 16);
    try (Directory directory = new ByteBuffersDirectory()) {
      VectorIndex.write(directory, storage.format(), vectors, SIMILARITY);
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        LeafReader leaf = reader.leaves().get(0).reader();
        for (int limit : new int[] {1, 50, 200}) {
          TopKnnCollector collector = new TopKnnCollector(5, limit);
          leaf.searchNearestVectors(
              FIELD, vectors[0], collector, AcceptDocs.fromLiveDocs(null, leaf.maxDoc()));
          assertTrue(collector.earlyTerminated());
          // A batch may end beyond the limit, not more.
          assertTrue(
              collector.visitedCount() < limit + 64, collector.visitedCount() + " of " + limit);
          assertTrue(collector.topDocs().scoreDocs.length <= 5);
        }
      }
    }
  }
}
