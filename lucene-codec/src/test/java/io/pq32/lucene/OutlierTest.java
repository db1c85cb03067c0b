package io.pq32.lucene;

import static io.pq32.lucene.VectorIndex.FIELD;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pq32.quantization.BruteForce;
import io.pq32.quantization.Effort;
import io.pq32.quantization.SeededRandom;
import io.pq32.quantization.Vectors;
import java.io.IOException;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.lucene.document.IntField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.KnnFloatVectorQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.Directory;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A few vectors absurdly longer than all others do not cost the others their recall, and are found
 * themselves.
 */
@ExtendWith(SeededRandom.class)
class OutlierTest {
  private static final int SIZE = Effort.of(2000, 20_000);
  private static final int QUERIES = Effort.of(150, 300);
  private static final int DIMENSION = 96;
  private static final int K = 10;

  /**
   * Recall of a walk scatters by .005 from graph to graph: with each of eight ordinary vectors more
   * it was .981 in the mean, with each of eight of 1e4 .980.
   */
  private static final double MOST_LOST = 0.015;

  /**
   * By inner product, outliers with centroids of their own are what half of the queries look for:
   * their entries count in full and leave fewer levels to the others. One of thirty times the
   * length took .016 of 20,000 others. (To shrink these entries to the range of the others was
   * tried: the outlier itself, nearest of all, was no longer among the twenty best codes.)
   */
  private static final double MOST_LOST_TO_THE_NEAREST = 0.02;

  static Stream<Arguments> similaritiesAndStorages() {
    return Stream.of(
            VectorSimilarityFunction.EUCLIDEAN,
            VectorSimilarityFunction.COSINE,
            VectorSimilarityFunction.MAXIMUM_INNER_PRODUCT)
        .flatMap(s -> Stream.of(Storage.CODES, Storage.WALK).map(c -> Arguments.of(s, c)));
  }

  @ParameterizedTest
  @MethodSource("similaritiesAndStorages")
  void costTheOthersNothing(VectorSimilarityFunction similarity, Storage storage, Random random)
      throws IOException {
    float[][] all = Vectors.anisotropic(random, SIZE + QUERIES, DIMENSION);
    float[][] vectors = Arrays.copyOf(all, SIZE);
    float[][] queries = Arrays.copyOfRange(all, SIZE, all.length);
    for (int outliers : new int[] {1, Math.ceilDiv(SIZE, 1000)}) {
      // By inner product, outliers are the nearest of all to half of the queries.
      int k = K + outliers;
      double without = recall(vectors, queries, k, similarity, storage);
      // Up to 32 times the median norm they are trained on.
      for (double factor : new double[] {8, 30, 1e4, 1e18}) {
        float[][] spoiled = Arrays.copyOf(vectors, SIZE + outliers);
        for (int i = SIZE; i < spoiled.length; i++) {
          spoiled[i] = Vectors.scaled(Vectors.anisotropic(random, 1, DIMENSION), factor)[0];
        }
        double with = recall(spoiled, queries, k, similarity, storage);
        boolean nearest =
            similarity == VectorSimilarityFunction.MAXIMUM_INNER_PRODUCT && factor <= 32;
        assertTrue(
            with >= without - (nearest ? MOST_LOST_TO_THE_NEAREST : MOST_LOST),
            outliers + " of " + factor + ": recall " + with + ", without " + without);
      }
    }
  }

  static Stream<Arguments> storagesAndFactors() {
    return Stream.of(Storage.CODES, Storage.WALK)
        .flatMap(s -> Stream.of(100.0, 1e4, 1e18).map(f -> Arguments.of(s, f)));
  }

  /**
   * By inner product, the longest vectors are the nearest to half of all queries. Their codes alone
   * found .58 to .68 of those that should be hits.
   */
  @ParameterizedTest
  @MethodSource("storagesAndFactors")
  void areAllFoundByInnerProduct(Storage storage, double factor, Random random) throws IOException {
    float[][] vectors = Vectors.anisotropic(random, SIZE, DIMENSION);
    float[][] queries = Vectors.anisotropic(random, QUERIES, DIMENSION);
    BitSet outliers = new BitSet();
    for (int i = 0; i < 20; i++) {
      int id = random.nextInt(SIZE);
      outliers.set(id);
      vectors[id] = Vectors.scaled(Vectors.anisotropic(random, 1, DIMENSION), factor)[0];
    }
    try (Directory directory = new ByteBuffersDirectory()) {
      IndexWriterConfig config = VectorIndex.mergingConfig(storage.format());
      try (IndexWriter writer = new IndexWriter(directory, config)) {
        VectorIndex.add(
            writer, vectors, 0, SIZE / 2, VectorSimilarityFunction.MAXIMUM_INNER_PRODUCT);
        writer.flush();
        VectorIndex.add(
            writer, vectors, SIZE / 2, SIZE, VectorSimilarityFunction.MAXIMUM_INNER_PRODUCT);
        assertFindsAll(outliers, writer, vectors, queries);
        writer.forceMerge(1);
        assertFindsAll(outliers, writer, vectors, queries);
      }
    }
  }

  /** All outliers that should be hits are; also under a filter that half of the vectors pass. */
  private static void assertFindsAll(
      BitSet outliers, IndexWriter writer, float[][] vectors, float[][] queries)
      throws IOException {
    int from = SIZE / 4;
    int to = 3 * SIZE / 4;
    try (DirectoryReader reader = DirectoryReader.open(writer)) {
      IndexSearcher searcher = new IndexSearcher(reader);
      for (Query filter : new Query[] {null, IntField.newRangeQuery(VectorIndex.ID, from, to)}) {
        for (float[] query : queries) {
          int[] expected =
              VectorIndex.nearest(
                  vectors,
                  query,
                  K,
                  VectorSimilarityFunction.MAXIMUM_INNER_PRODUCT,
                  id -> filter == null || id >= from && id <= to);
          var hits = searcher.search(new KnnFloatVectorQuery(FIELD, query, K, filter), K).scoreDocs;
          int[] found = VectorIndex.ids(reader, hits);
          assertEquals(K, Arrays.stream(found).distinct().count());
          Set<Integer> hitIds = Arrays.stream(found).boxed().collect(Collectors.toSet());
          for (int id : expected) {
            assertTrue(!outliers.get(id) || hitIds.contains(id), "outlier " + id + " is missed");
          }
        }
      }
    }
  }

  /** How many of the first {@link #SIZE} vectors that should be among k hits are? */
  private static double recall(
      float[][] vectors,
      float[][] queries,
      int k,
      VectorSimilarityFunction similarity,
      Storage storage)
      throws IOException {
    double recall = 0;
    try (Directory directory = new ByteBuffersDirectory()) {
      VectorIndex.write(directory, storage.format(), vectors, similarity);
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        IndexSearcher searcher = new IndexSearcher(reader);
        for (float[] query : queries) {
          var hits = searcher.search(new KnnFloatVectorQuery(FIELD, query, k), k).scoreDocs;
          int[] nearest = VectorIndex.nearest(vectors, query, k, similarity, _ -> true);
          int[] ordinary = Arrays.stream(nearest).filter(id -> id < SIZE).toArray();
          recall += BruteForce.recall(ordinary, VectorIndex.ids(reader, hits)) / queries.length;
        }
      }
    }
    return recall;
  }
}
