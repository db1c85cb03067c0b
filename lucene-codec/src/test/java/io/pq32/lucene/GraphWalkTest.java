package io.pq32.lucene;

import static io.pq32.lucene.VectorIndex.FIELD;
import static io.pq32.lucene.VectorIndex.ID;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pq32.quantization.BruteForce;
import io.pq32.quantization.SeededRandom;
import io.pq32.quantization.Vectors;
import java.io.IOException;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Random;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import org.apache.lucene.codecs.KnnVectorsFormat;
import org.apache.lucene.document.IntField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.KnnFloatVectorQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.TopKnnCollector;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.Directory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;

/** Searches of a segment large enough for a walk of its graph to pay. */
@ExtendWith(SeededRandom.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class GraphWalkTest {
  private static final VectorSimilarityFunction SIMILARITY = VectorSimilarityFunction.EUCLIDEAN;
  private static final int SIZE = 12_000;
  private static final int K = 10;
  private static final int QUERIES = 30;

  private final Directory directory = new ByteBuffersDirectory();
  private float[][] vectors; // by id; in random order of clusters
  private DirectoryReader reader;

  @BeforeAll
  void build(Random random) throws IOException {
    vectors = Vectors.clustered(random, SIZE, 24, 60, 0.5);
    KnnVectorsFormat format = new Pq32HnswVectorsFormat(Storage.graph().withGraph(12, 60));
    VectorIndex.write(directory, format, vectors, SIMILARITY);
    reader = DirectoryReader.open(directory);
  }

  @AfterAll
  void close() throws IOException {
    reader.close();
    directory.close();
  }

  private int[] search(DirectoryReader reader, float[] query, int k, Query filter)
      throws IOException {
    ScoreDoc[] hits =
        new IndexSearcher(reader)
            .search(new KnnFloatVectorQuery(FIELD, query, k, filter), k)
            .scoreDocs;
    return VectorIndex.ids(reader, hits);
  }

  private float[] query(Random random) {
    float[] query = vectors[random.nextInt(SIZE)].clone();
    for (int d = 0; d < query.length; d++) {
      query[d] += (float) (0.2 * random.nextGaussian());
    }
    return query;
  }

  private double recall(
      DirectoryReader reader, int k, Query filter, IntPredicate accepted, Random random)
      throws IOException {
    double recall = 0;
    for (int q = 0; q < QUERIES; q++) {
      float[] query = query(random);
      int[] found = search(reader, query, k, filter);
      int[] nearest = VectorIndex.nearest(vectors, query, k, SIMILARITY, accepted);
      assertEquals(nearest.length, found.length);
      assertEquals(found.length, Arrays.stream(found).distinct().count());
      assertTrue(Arrays.stream(found).allMatch(accepted));
      recall += BruteForce.recall(nearest, found) / QUERIES;
    }
    return recall;
  }

  private static void assertWalks(int accepted) {
    assertInstanceOf(
        SearchPlan.GraphWalk.class,
        SearchPlan.of(SearchPlan.Costs.MEASURED, SearchPlan.Codes.GRAPH, SIZE, accepted, K));
  }

  @Test
  void findsTheNearest(Random random) throws IOException {
    assertWalks(SIZE);
    double recall = recall(reader, K, null, _ -> true, random);
    assertTrue(recall >= 0.95, "recall@10 " + recall);
  }

  @Test
  void findsTheNearestOne(Random random) throws IOException {
    double recall = recall(reader, 1, null, _ -> true, random);
    assertTrue(recall >= 0.95, "recall@1 " + recall);
  }

  @Test
  void findsTheNearestThroughAWideFilter(Random random) throws IOException {
    int count = 11_000; // ids are no clue to the place of a vector
    assertWalks(count);
    double recall =
        recall(reader, K, IntField.newRangeQuery(ID, 0, count - 1), id -> id < count, random);
    assertTrue(recall >= 0.95, "recall@10 " + recall);
  }

  @Test
  void findsTheNearestThroughNarrowerFilters(Random random) throws IOException {
    for (int count : new int[] {6000, 1000, 300, 11, 3}) {
      double recall =
          recall(reader, K, IntField.newRangeQuery(ID, 0, count - 1), id -> id < count, random);
      assertTrue(recall >= 0.95, "recall@10 " + recall + " of " + count);
    }
  }

  @Test
  void findsTheNearestThroughAFilterThatCutsTheQuerysSurroundingsOut() throws IOException {
    // A walk ends among the nearest vectors, none of which may be returned.
    BitSet deleted = new BitSet();
    try (Directory copy = new ByteBuffersDirectory()) {
      try (IndexWriter writer =
          new IndexWriter(copy, VectorIndex.writerConfig(Storage.GRAPH.format()))) {
        writer.addIndexes(directory);
        for (int id : VectorIndex.nearest(vectors, vectors[0], 600, SIMILARITY, _ -> true)) {
          deleted.set(id);
          writer.deleteDocuments(IntField.newExactQuery(ID, id));
        }
      }
      assertWalks(SIZE - 600);
      try (DirectoryReader reader = DirectoryReader.open(copy)) {
        int[] found = search(reader, vectors[0], K, null);
        int[] nearest =
            VectorIndex.nearest(vectors, vectors[0], K, SIMILARITY, id -> !deleted.get(id));
        assertEquals(K, found.length);
        assertTrue(Arrays.stream(found).noneMatch(deleted::get));
        double recall = BruteForce.recall(nearest, found);
        assertTrue(recall >= 0.8, "recall@10 " + recall);
      }
    }
  }

  /** What searches of 11,000 documents for the nearest to some vectors cost. */
  private Pq32SearchStats searchOf(boolean nearest) throws IOException {
    Pq32SearchStats before = Pq32SearchStats.of(reader, FIELD);
    int count = 11_000;
    assertWalks(count);
    double recall = 0;
    for (int q = 0; q < 5; q++) {
      int[] order = VectorIndex.nearest(vectors, vectors[q], SIZE, SIMILARITY, _ -> true);
      int from = nearest ? 0 : SIZE - count;
      int[] accepted = Arrays.copyOfRange(order, from, from + count);
      int[] found = search(reader, vectors[q], K, IntField.newSetQuery(ID, accepted));
      recall += BruteForce.recall(Arrays.copyOf(accepted, K), found) / 5;
    }
    assertTrue(recall >= 0.95, "recall@10 " + recall);
    return Pq32SearchStats.of(reader, FIELD).minus(before);
  }

  @Test
  void walksOnceWhereTheFilterKeepsTheNearest() throws IOException {
    Pq32SearchStats cost = searchOf(true);
    assertEquals(5, cost.graphWalks());
    assertEquals(0, cost.walksGivenUp());
    assertTrue(cost.codesScored() < 5 * SIZE / 2, cost.toString());
  }

  @Test
  void aWalkGivesWayToAScanWhereTheFilterKeepsTheNearestOut() throws IOException {
    Pq32SearchStats cost = searchOf(false);
    assertEquals(5, cost.graphWalks());
    assertEquals(5, cost.walksGivenUp());
  }

  @Test
  void aWalkGrowsToWhatTheFilterAccepts(Random random) throws IOException {
    // Scans are made so dear that it never gives way.
    SearchPlan.Costs costs = new SearchPlan.Costs(100, 0, 1 << 20, 0, 1);
    QuantizedField field =
        VectorIndex.reader(reader.leaves().get(0).reader(), FIELD).quantizedOrNull(FIELD);
    float[] query = query(random);
    int[] order = VectorIndex.nearest(vectors, query, SIZE, SIMILARITY, _ -> true);
    // Three near the query, which is better than none and yet too few.
    int[] accepted =
        IntStream.range(0, SIZE).filter(i -> i < 3 || i >= 2000).map(i -> order[i]).toArray();
    int[] nearest = Arrays.copyOf(accepted, K);
    Arrays.sort(accepted);
    GraphWalk walk =
        new GraphWalk(
            costs,
            field.codes(),
            field.graph(),
            field.codes().tables().borrow(query),
            new AcceptedOrds.Few(accepted),
            120,
            new TopKnnCollector(K, Integer.MAX_VALUE));
    int[] found = walk.next().ords();
    assertFalse(walk.exhaustive());
    assertTrue(Arrays.stream(found).allMatch(ord -> Arrays.binarySearch(accepted, ord) >= 0));
    assertTrue(BruteForce.recall(nearest, found) >= 0.8, "recall of candidates");
  }

  @Test
  void findsMany(Random random) throws IOException {
    for (int k : new int[] {100, 2000, SIZE}) {
      float[] query = query(random);
      int[] found = search(reader, query, k, null);
      assertEquals(k, found.length);
      double recall =
          BruteForce.recall(VectorIndex.nearest(vectors, query, k, SIMILARITY, _ -> true), found);
      assertTrue(recall >= 0.95, "recall@" + k + " " + recall);
    }
  }
}
