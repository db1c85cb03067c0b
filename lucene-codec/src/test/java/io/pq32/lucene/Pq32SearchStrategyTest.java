package io.pq32.lucene;

import static io.pq32.lucene.VectorIndex.FIELD;
import static io.pq32.lucene.VectorIndex.ID;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pq32.quantization.BruteForce;
import io.pq32.quantization.SeededRandom;
import io.pq32.quantization.Vectors;
import java.io.IOException;
import java.util.Arrays;
import java.util.Random;
import org.apache.lucene.codecs.KnnVectorsFormat;
import org.apache.lucene.codecs.lucene99.Lucene99HnswVectorsFormat;
import org.apache.lucene.document.IntField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.LeafReader;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.apache.lucene.search.AcceptDocs;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.KnnCollector;
import org.apache.lucene.search.KnnFloatVectorQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.SeededKnnVectorQuery;
import org.apache.lucene.search.TopKnnCollector;
import org.apache.lucene.search.knn.KnnSearchStrategy;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.Directory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(SeededRandom.class)
class Pq32SearchStrategyTest {
  private static final VectorSimilarityFunction SIMILARITY = VectorSimilarityFunction.EUCLIDEAN;
  private static final double[] TOLERANCES = {0, 0.005, 0.02, 0.1, 0.3};
  private static final int K = 10;
  private static final int QUERIES = 100;

  /** Something to do with an index. */
  @FunctionalInterface
  private interface Check {
    void run(DirectoryReader reader) throws IOException;
  }

  private static void withSegment(KnnVectorsFormat format, float[][] vectors, Check check)
      throws IOException {
    try (Directory directory = new ByteBuffersDirectory()) {
      VectorIndex.write(directory, format, vectors, SIMILARITY);
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        check.run(reader);
      }
    }
  }

  private static ScoreDoc[] search(
      DirectoryReader reader, float[] query, int k, Query filter, KnnSearchStrategy strategy)
      throws IOException {
    Query nearest = new KnnFloatVectorQuery(FIELD, query, k, filter, strategy);
    return new IndexSearcher(reader).search(nearest, k).scoreDocs;
  }

  private static void assertExact(float[][] vectors, float[] query, ScoreDoc[] hits) {
    for (int i = 0; i < hits.length; i++) {
      float expected = SIMILARITY.compare(query, vectors[hits[i].doc]);
      assertEquals(expected, hits[i].score, 1e-5 * expected);
      assertTrue(i == 0 || hits[i].score <= hits[i - 1].score, "best first");
    }
  }

  private static void assertSame(ScoreDoc[] expected, ScoreDoc[] actual) {
    assertArrayEquals(
        Arrays.stream(expected).mapToInt(hit -> hit.doc).toArray(),
        Arrays.stream(actual).mapToInt(hit -> hit.doc).toArray());
    for (int i = 0; i < expected.length; i++) {
      assertEquals(expected[i].score, actual[i].score);
    }
  }

  /** What a hundred searches found and cost. */
  private record Outcome(double recall, Pq32SearchStats cost) {}

  @Test
  void theMoreIsToleratedTheLessIsReadAndFound(Random random) throws IOException {
    int size = 20_000;
    float[][] all = Vectors.clustered(random, size + QUERIES, 64, 20, 0.6);
    float[][] vectors = Arrays.copyOf(all, size);
    int[][] nearest = new int[QUERIES][];
    for (int q = 0; q < QUERIES; q++) {
      nearest[q] = VectorIndex.nearest(vectors, all[size + q], K, SIMILARITY, _ -> true);
    }
    withSegment(
        new Pq32HnswVectorsFormat(Pq32HnswConfig.DEFAULT.withBytesPerVector(16)),
        vectors,
        reader -> {
          Outcome[] outcomes = new Outcome[TOLERANCES.length];
          for (int t = 0; t < TOLERANCES.length; t++) {
            Pq32SearchStats before = Pq32SearchStats.of(reader, FIELD);
            double recall = 0;
            for (int q = 0; q < QUERIES; q++) {
              ScoreDoc[] hits =
                  search(reader, all[size + q], K, null, new Pq32SearchStrategy(TOLERANCES[t]));
              recall += BruteForce.recall(nearest[q], VectorIndex.ids(reader, hits)) / QUERIES;
            }
            outcomes[t] = new Outcome(recall, Pq32SearchStats.of(reader, FIELD).minus(before));
            assertEquals(QUERIES, outcomes[t].cost.codeScans());
          }
          String message = Arrays.toString(outcomes);
          for (int t = 1; t < TOLERANCES.length; t++) {
            assertTrue(outcomes[t].recall <= outcomes[t - 1].recall, message);
            assertTrue(
                outcomes[t].cost.codesScored() < outcomes[t - 1].cost.codesScored(), message);
            assertTrue(
                outcomes[t].cost.vectorsScored() < outcomes[t - 1].cost.vectorsScored(), message);
          }
          Outcome thorough = outcomes[0];
          // All candidates of the first list.
          assertTrue(thorough.cost.vectorsScored() >= QUERIES * Reranker.depth(K), message);
          assertTrue(thorough.recall >= 0.995, message);
          assertTrue(outcomes[TOLERANCES.length - 1].recall <= thorough.recall - 0.02, message);
        });
  }

  @Test
  void theMoreIsToleratedTheSoonerAScanEnds(Random random) throws IOException {
    int size = 20_000;
    float[][] vectors = Vectors.clustered(random, size, 64, 20, 0.6);
    withSegment(
        new Pq32HnswVectorsFormat(),
        vectors,
        reader -> {
          LeafReader leaf = reader.leaves().get(0).reader();
          // The collector hears of the first scan alone, and of all codes but one at most.
          long[] visits = new long[TOLERANCES.length];
          for (int t = 0; t < TOLERANCES.length; t++) {
            for (int q = 0; q < 20; q++) {
              KnnCollector collector =
                  new TopKnnCollector(K, Integer.MAX_VALUE, new Pq32SearchStrategy(TOLERANCES[t]));
              leaf.searchNearestVectors(
                  FIELD, vectors[q], collector, AcceptDocs.fromLiveDocs(null, size));
              visits[t] += collector.visitedCount();
            }
          }
          String message = Arrays.toString(visits);
          assertEquals(20 * (size - 1), visits[0], message);
          for (int t = 1; t < TOLERANCES.length; t++) {
            assertTrue(visits[t] < visits[t - 1], message);
          }
        });
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void theDefaultToleranceChangesNothing(Storage storage, Random random) throws IOException {
    float[][] vectors = Vectors.gaussian(random, 8000, 32); // much to rerank
    withSegment(
        storage.format(),
        vectors,
        reader -> {
          for (Query filter : new Query[] {null, IntField.newRangeQuery(ID, 100, 2999)}) {
            for (int k : new int[] {K, 100}) {
              for (int q = 0; q < 20; q++) {
                Pq32SearchStats start = Pq32SearchStats.of(reader, FIELD);
                ScoreDoc[] expected =
                    search(reader, vectors[q], k, filter, KnnSearchStrategy.Hnsw.DEFAULT);
                Pq32SearchStats middle = Pq32SearchStats.of(reader, FIELD);
                ScoreDoc[] hits =
                    search(reader, vectors[q], k, filter, new Pq32SearchStrategy(0.02));
                Pq32SearchStats end = Pq32SearchStats.of(reader, FIELD);
                assertSame(expected, hits);
                assertEquals(middle.minus(start), end.minus(middle));
              }
            }
          }
        });
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void findsAsManyAsThereAreWithExactScoresWhateverIsTolerated(Storage storage, Random random)
      throws IOException {
    int size = 3000;
    float[][] vectors = Vectors.clustered(random, size, 24, 20, 0.5);
    withSegment(
        storage.format(),
        vectors,
        reader -> {
          for (double tolerance : new double[] {0, 1e-300, 0.02, 0.3, 0.999}) {
            KnnSearchStrategy strategy = new Pq32SearchStrategy(tolerance);
            for (int accepted : new int[] {1, 99, 100, 101, 103, 700, size}) {
              Query filter =
                  accepted == size ? null : IntField.newRangeQuery(ID, 50, 50 + accepted - 1);
              for (int k : new int[] {1, 100, 690, size - 1, size + 1}) {
                ScoreDoc[] hits = search(reader, vectors[k % 40], k, filter, strategy);
                assertEquals(Math.min(k, accepted), hits.length, accepted + " accepted, k " + k);
                assertExact(vectors, vectors[k % 40], hits);
                for (ScoreDoc hit : hits) {
                  assertTrue(filter == null || hit.doc >= 50 && hit.doc < 50 + accepted);
                }
              }
            }
          }
        });
  }

  @ParameterizedTest
  @EnumSource(names = {"CODES", "GRAPH", "WALK"})
  void holdsInASeededQuery(Storage storage, Random random) throws IOException {
    float[][] vectors = Vectors.gaussian(random, 3000, 192); // much to rerank
    withSegment(
        storage.format(),
        vectors,
        reader -> {
          float[][] queries = Vectors.gaussian(random, 20, 192);
          Query seeds = IntField.newRangeQuery(ID, 100, 105);
          long hasty = 0;
          long usual = 0;
          for (int q = 0; q < queries.length; q++) {
            hasty += seeded(reader, queries[q], seeds, new Pq32SearchStrategy(0.3));
            usual += seeded(reader, queries[q], seeds, KnnSearchStrategy.Hnsw.DEFAULT);
          }
          assertTrue(hasty < 0.7 * usual, hasty + " vectors, and without " + usual);
        });
  }

  /** Vectors that a search from seeds scores. */
  private static long seeded(
      DirectoryReader reader, float[] query, Query seeds, KnnSearchStrategy strategy)
      throws IOException {
    Pq32SearchStats before = Pq32SearchStats.of(reader, FIELD);
    Query nearest =
        SeededKnnVectorQuery.fromFloatQuery(
            new KnnFloatVectorQuery(FIELD, query, K, null, strategy), seeds);
    assertEquals(K, new IndexSearcher(reader).search(nearest, K).scoreDocs.length);
    return Pq32SearchStats.of(reader, FIELD).minus(before).vectorsScored();
  }

  @Test
  void segmentsOfOtherFormatsTakeItAsHnsw(Random random) throws IOException {
    float[][] vectors = Vectors.gaussian(random, 3000, 16);
    Query filter = IntField.newRangeQuery(ID, 0, 999);
    withSegment(
        new Lucene99HnswVectorsFormat(),
        vectors,
        reader -> {
          for (int threshold : new int[] {0, 60}) {
            KnnSearchStrategy hnsw = new KnnSearchStrategy.Hnsw(threshold);
            KnnSearchStrategy ours = new Pq32SearchStrategy(0.3, threshold);
            for (int q = 0; q < 10; q++) {
              ScoreDoc[] hits = search(reader, vectors[q], K, filter, ours);
              assertEquals(K, hits.length);
              assertExact(vectors, vectors[q], hits);
              assertSame(search(reader, vectors[q], K, filter, hnsw), hits);
            }
          }
        });
  }

  @Test
  void servesAnIndexOfSeveralFormats(Random random) throws IOException {
    float[][] vectors = Vectors.gaussian(random, 4000, 16);
    try (Directory directory = new ByteBuffersDirectory()) {
      int from = 0;
      for (KnnVectorsFormat format :
          new KnnVectorsFormat[] {new Lucene99HnswVectorsFormat(), Storage.CODES.format()}) {
        try (IndexWriter writer = new IndexWriter(directory, VectorIndex.writerConfig(format))) {
          VectorIndex.add(writer, vectors, from, from + 2000, SIMILARITY);
        }
        from += 2000;
      }
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        for (double tolerance : TOLERANCES) {
          ScoreDoc[] hits = search(reader, vectors[0], K, null, new Pq32SearchStrategy(tolerance));
          assertEquals(K, hits.length);
          assertExact(vectors, vectors[0], hits);
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      doubles = {
        -1,
        -Double.MIN_VALUE,
        1,
        Double.NaN,
        Double.POSITIVE_INFINITY,
        Double.NEGATIVE_INFINITY
      })
  void rejectsTolerancesThatAreNoShare(double tolerance) {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> new Pq32SearchStrategy(tolerance));
    assertEquals("tolerance must be at least 0 and below 1; got " + tolerance, e.getMessage());
  }

  @Test
  void rejectsFilteredSearchThresholdsThatAreNoPercentage() {
    assertThrows(IllegalArgumentException.class, () -> new Pq32SearchStrategy(0.1, 101));
    assertThrows(IllegalArgumentException.class, () -> new Pq32SearchStrategy(0.1, -1));
  }

  @Test
  void equalsWhatSearchesAlike() {
    Pq32SearchStrategy strategy = new Pq32SearchStrategy(0.1);
    assertEquals(0.1, strategy.tolerance());
    assertEquals(0, strategy.filteredSearchThreshold());
    assertEquals(strategy, new Pq32SearchStrategy(0.1, 0));
    assertEquals(strategy.hashCode(), new Pq32SearchStrategy(0.1, 0).hashCode());
    assertNotEquals(strategy, new Pq32SearchStrategy(0.2));
    assertNotEquals(strategy.hashCode(), new Pq32SearchStrategy(0.2).hashCode());
    assertNotEquals(strategy, new Pq32SearchStrategy(0.1, 60));
    assertFalse(strategy.equals(KnnSearchStrategy.Hnsw.DEFAULT));
    assertFalse(KnnSearchStrategy.Hnsw.DEFAULT.equals(strategy));
    assertFalse(strategy.equals(null));
    assertEquals(new Pq32SearchStrategy(0.0), new Pq32SearchStrategy(-0.0));
    assertEquals(new Pq32SearchStrategy(0.0).hashCode(), new Pq32SearchStrategy(-0.0).hashCode());
  }
}
