package io.pq32.benchmarks;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class BruteForceTest {
  @TempDir Path folder;

  @ParameterizedTest
  @EnumSource
  void findsWhatSortingByDistanceFinds(Similarity similarity) throws Exception {
    float[][] base = TestFiles.vectors(300, 9, 1);
    float[][] queries = TestFiles.vectors(70, 9, 2); // more than one pass
    int[][] expected = new int[queries.length][];
    for (int q = 0; q < queries.length; q++) {
      float[] query = queries[q];
      expected[q] =
          IntStream.range(0, base.length)
              .boxed()
              .sorted(Comparator.comparingDouble(id -> similarity.distance(query, base[id])))
              .limit(25)
              .mapToInt(Integer::intValue)
              .toArray();
    }
    assertArrayEquals(expected, compute(base, queries, similarity, 25));
  }

  @Test
  void givesTiesToTheLowerId() throws Exception {
    float[][] base = {{2, 0}, {0, 2}, {1, 0}, {0, -2}, {0, 1}};
    assertArrayEquals(
        new int[][] {{2, 4, 0, 1, 3}}, compute(base, new float[][] {{0, 0}}, Similarity.L2, 5));
  }

  private int[][] compute(float[][] base, float[][] queries, Similarity similarity, int depth)
      throws IOException, InterruptedException {
    try (Progress progress = TestFiles.QUIET.start("exact neighbors", queries.length)) {
      return BruteForce.compute(
              set("base", base), set("queries", queries), similarity, depth, progress)
          .neighbors();
    }
  }

  private VectorSet set(String name, float[][] vectors) throws IOException {
    return VectorSet.read(
        TestFiles.fvecs(folder.resolve(name + ".fvecs"), vectors),
        folder.resolve(name),
        Arena.ofAuto(),
        TestFiles.QUIET);
  }
}
