package io.pq32.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RecallCounterTest {
  @TempDir Path folder;

  private Dataset data;

  /** Distances 1, 4, 4, 4, 9 from the first query; 81, 64, 144, 100, 49 from the second. */
  @BeforeEach
  void load() throws IOException {
    data =
        new Dataset(
            "ties",
            set("base", new float[][] {{1}, {2}, {-2}, {2}, {3}}),
            set("queries", new float[][] {{0}, {10}}),
            Similarity.L2,
            new GroundTruth(new int[][] {{0, 1}, {4, 1}}));
  }

  @Test
  void countsTrueNeighborsInAnyOrder() {
    assertRecall(1, new int[][] {{1, 0}, {4, 1}});
    assertRecall(0.5, new int[][] {{4, 0}, {1, 0}});
    assertRecall(0, new int[][] {{}, {2, 0}});
  }

  @Test
  void countsWhatIsAsNearAsTheLastTrueNeighbor() {
    assertRecall(1, new int[][] {{2, 3}, {4, 3}});
    assertRecall(0.75, new int[][] {{2, 4}, {3, 4}});
  }

  @Test
  void countsARepeatedHitOnce() {
    assertRecall(0.5, new int[][] {{0, 0}, {4, 4}});
  }

  @Test
  void countsNoMoreHitsThanWereAskedFor() {
    assertRecall(0.5, new int[][] {{4, 4, 0, 1}, {4, 1, 1}});
  }

  @Test
  void wantsNoMoreThanThereIs() {
    Dataset complete =
        new Dataset(
            data.name(),
            data.base(),
            data.queries(),
            data.similarity(),
            new GroundTruth(new int[][] {{0, 1, 2, 3, 4}, {4, 1, 3, 0, 2}}));
    assertEquals(
        1, new RecallCounter(complete, 100).recall(new int[][] {{4, 3, 2, 1, 0}, {0, 1, 2, 3, 4}}));
  }

  private void assertRecall(double expected, int[][] hits) {
    assertEquals(expected, new RecallCounter(data, 2).recall(hits));
  }

  private VectorSet set(String name, float[][] vectors) throws IOException {
    return VectorSet.read(
        TestFiles.fvecs(folder.resolve(name + ".fvecs"), vectors),
        folder.resolve(name),
        Arena.ofAuto(),
        TestFiles.QUIET);
  }
}
