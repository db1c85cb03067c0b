package io.pq32.lucene;

import static io.pq32.lucene.VectorIndex.FIELD;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pq32.quantization.PqKernels;
import io.pq32.quantization.SeededRandom;
import io.pq32.quantization.Vectors;
import java.io.IOException;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.Directory;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(SeededRandom.class)
class BlockOrderTest {
  private static final int SIZE = 6000;
  private static final int QUERIES = 100;
  private static final int DIMENSION = 64;
  private static final int K = 10;

  /** Says where a query's blocks are put. */
  @FunctionalInterface
  private interface Order {
    int[] of(CodeBlocks blocks, QueryTables.Table query, int count);
  }

  /** Share of the ten nearest that are in the first fifth of the blocks. */
  private static double share(
      float[][] vectors, float[][] queries, VectorSimilarityFunction similarity, Order order)
      throws IOException {
    int found = 0;
    try (Directory directory = new ByteBuffersDirectory()) {
      VectorIndex.write(directory, Storage.CODES.format(), vectors, similarity);
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        StoredCodes codes =
            VectorIndex.reader(reader.leaves().get(0).reader(), FIELD)
                .quantizedOrNull(FIELD)
                .codes();
        int count = codes.blocks().layout().blocks();
        for (float[] query : queries) {
          QueryTables.Table table = codes.tables().borrow(query);
          int[] sorted = Arrays.copyOf(order.of(codes.blocks(), table, count), count);
          codes.tables().giveBack(table);
          assertEquals(count, IntStream.of(sorted).distinct().count());
          int[] first = Arrays.copyOf(sorted, count / 5);
          int[] nearest = VectorIndex.nearest(vectors, query, K, similarity, _ -> true);
          int[] nodes = new int[K];
          codes.blockOrds().nodes(nearest, K, nodes);
          for (int node : nodes) {
            int block = node / PqKernels.BLOCK_SIZE;
            found += IntStream.of(first).anyMatch(one -> one == block) ? 1 : 0;
          }
        }
      }
    }
    return (double) found / QUERIES / K;
  }

  private static int[] byHeads(CodeBlocks blocks, QueryTables.Table query, int count) {
    return new BlockOrder().nearestFirst(blocks, query.levels(), count);
  }

  private static int[] bySpreadsToo(CodeBlocks blocks, QueryTables.Table query, int count) {
    return new BlockOrder().nearestFirst(blocks, query, count);
  }

  /**
   * Lengths are distributed lognormally: .85, .66 and .84 of the ten nearest are in the first fifth
   * of the blocks, by heads alone .47, .51 and .45.
   */
  @ParameterizedTest
  @ValueSource(doubles = {0.5, 1, 2})
  void blocksOfLongVectorsAreNearByInnerProduct(double deviation, Random random)
      throws IOException {
    float[][] all = Vectors.gaussian(random, SIZE + QUERIES, DIMENSION);
    float[][] vectors = Arrays.copyOf(all, SIZE);
    float[][] queries = Arrays.copyOfRange(all, SIZE, all.length);
    for (float[] vector : vectors) {
      Vectors.scaled(new float[][] {vector}, Math.exp(deviation * random.nextGaussian()));
    }
    VectorSimilarityFunction similarity = VectorSimilarityFunction.MAXIMUM_INNER_PRODUCT;
    double share = share(vectors, queries, similarity, BlockOrderTest::bySpreadsToo);
    double byHeads = share(vectors, queries, similarity, BlockOrderTest::byHeads);
    assertTrue(share >= byHeads + 0.1, share + ", by heads " + byHeads);
  }

  @ParameterizedTest
  @EnumSource
  void spreadsCostVectorsOfOneLengthNothing(VectorSimilarityFunction similarity, Random random)
      throws IOException {
    float[][] all = Vectors.normalized(Vectors.anisotropic(random, SIZE + QUERIES, DIMENSION));
    float[][] vectors = Arrays.copyOf(all, SIZE);
    float[][] queries = Arrays.copyOfRange(all, SIZE, all.length);
    double share = share(vectors, queries, similarity, BlockOrderTest::bySpreadsToo);
    double byHeads = share(vectors, queries, similarity, BlockOrderTest::byHeads);
    assertTrue(share >= byHeads - 0.01, share + ", by heads " + byHeads);
  }
}
