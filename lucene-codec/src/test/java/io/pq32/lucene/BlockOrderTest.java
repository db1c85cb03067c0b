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
import java.util.Set;
import java.util.stream.Collectors;
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

  /**
   * Share of the ten nearest that are in the first fifth of the blocks.
   *
   * @param byHeads where heads alone decide
   */
  private record Shares(double share, double byHeads) {
    static Shares of(float[][] vectors, float[][] queries, VectorSimilarityFunction similarity)
        throws IOException {
      int found = 0;
      int foundByHeads = 0;
      try (Directory directory = new ByteBuffersDirectory()) {
        VectorIndex.write(directory, Storage.CODES.format(), vectors, similarity);
        try (DirectoryReader reader = DirectoryReader.open(directory)) {
          StoredCodes codes =
              VectorIndex.reader(reader.leaves().get(0).reader(), FIELD)
                  .quantizedOrNull(FIELD)
                  .codes();
          CodeBlocks blocks = codes.blocks();
          int count = blocks.layout().blocks();
          BlockOrder order = new BlockOrder();
          for (float[] query : queries) {
            int[] nodes = new int[K];
            codes
                .blockOrds()
                .nodes(VectorIndex.nearest(vectors, query, K, similarity, _ -> true), K, nodes);
            QueryTables.Table table = codes.tables().borrow(query);
            found += inFirstFifth(nodes, order.nearestFirst(blocks, table, count), count);
            foundByHeads +=
                inFirstFifth(nodes, order.nearestFirst(blocks, table.levels(), count), count);
            codes.tables().giveBack(table);
          }
        }
      }
      return new Shares((double) found / QUERIES / K, (double) foundByHeads / QUERIES / K);
    }

    private static int inFirstFifth(int[] nodes, int[] order, int count) {
      assertEquals(count, Arrays.stream(order, 0, count).distinct().count());
      Set<Integer> first = Arrays.stream(order, 0, count / 5).boxed().collect(Collectors.toSet());
      return (int)
          Arrays.stream(nodes).filter(node -> first.contains(node / PqKernels.BLOCK_SIZE)).count();
    }
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
    Shares shares = Shares.of(vectors, queries, similarity);
    assertTrue(shares.share >= shares.byHeads + 0.1, shares::toString);
  }

  @ParameterizedTest
  @EnumSource
  void spreadsCostVectorsOfOneLengthNothing(VectorSimilarityFunction similarity, Random random)
      throws IOException {
    float[][] all = Vectors.normalized(Vectors.anisotropic(random, SIZE + QUERIES, DIMENSION));
    float[][] vectors = Arrays.copyOf(all, SIZE);
    float[][] queries = Arrays.copyOfRange(all, SIZE, all.length);
    Shares shares = Shares.of(vectors, queries, similarity);
    assertTrue(shares.share >= shares.byHeads - 0.01, shares::toString);
  }
}
