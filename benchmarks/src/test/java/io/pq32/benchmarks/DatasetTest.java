package io.pq32.benchmarks;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

class DatasetTest {
  private static final float[][] BASE = TestFiles.vectors(60, 5, 1);
  private static final float[][] QUERIES = TestFiles.vectors(7, 5, 2);
  private static final Dataset.Selection ALL =
      new Dataset.Selection(Integer.MAX_VALUE, Integer.MAX_VALUE, 42, 3);

  @TempDir Path folder;
  @TempDir Path scratch;
  @TempDir Path cache;

  @BeforeEach
  void write() throws IOException {
    TestFiles.fvecs(folder.resolve("base.fvecs.gz"), BASE);
    TestFiles.fvecs(folder.resolve("queries.fvecs"), QUERIES);
    Files.writeString(folder.resolve("stats.json"), "{\"metric\": \"l2\"}");
  }

  @Test
  void takesMetricFromStatsUnlessOneIsGiven() throws IOException {
    assertEquals(Similarity.L2, DatasetFiles.in(folder, Optional.empty()).similarity());
    assertEquals(
        Similarity.COSINE, DatasetFiles.in(folder, Optional.of(Similarity.COSINE)).similarity());
  }

  @Test
  void computesTruthOnceAndThenTakesItFromTheCache() throws Exception {
    Dataset computed = load(ALL);
    assertEquals(1, cachedFiles());
    Path cached;
    try (var files = Files.list(cache)) {
      cached = files.findFirst().orElseThrow();
    }
    int[][] marked = computed.truth().neighbors();
    marked[0] = marked[1];
    new GroundTruth(marked).write(cached);
    assertArrayEquals(marked, load(ALL).truth().neighbors());
  }

  @Test
  void computesTruthAnewForAnotherSample() throws Exception {
    load(ALL);
    load(new Dataset.Selection(40, Integer.MAX_VALUE, 42, 3));
    load(new Dataset.Selection(40, Integer.MAX_VALUE, 43, 3));
    assertEquals(3, cachedFiles());
  }

  @Test
  void readsTruthOfSampledQueriesFromTheFile() throws Exception {
    int[][] rows =
        IntStream.range(0, QUERIES.length)
            .mapToObj(q -> new int[] {q, q + 1, q + 2})
            .toArray(int[][]::new);
    TestFiles.ivecs(folder.resolve("gt.ivecs"), rows);
    Dataset data = load(new Dataset.Selection(Integer.MAX_VALUE, 4, 42, 3));
    assertEquals(0, cachedFiles());
    assertEquals(4, data.queries().size());
    for (int q = 0; q < 4; q++) {
      int row = data.queries().row(q);
      assertArrayEquals(QUERIES[row], data.queries().get(q));
      assertArrayEquals(rows[row], data.truth().neighbors()[q]);
    }
  }

  @Test
  void computesTruthWhereTheFileKnowsTooFewNeighbors() throws Exception {
    TestFiles.ivecs(folder.resolve("gt.ivecs"), new int[QUERIES.length][2]);
    load(ALL);
    assertEquals(1, cachedFiles());
  }

  @Test
  void samplesReproduciblyAndInOrder() throws Exception {
    Dataset.Selection some = new Dataset.Selection(20, 3, 7, 3);
    VectorSet first = load(some).base();
    VectorSet second = load(some).base();
    assertEquals(20, first.size());
    int[] rows = IntStream.range(0, 20).map(first::row).toArray();
    assertArrayEquals(rows, IntStream.range(0, 20).map(second::row).toArray());
    assertArrayEquals(rows, IntStream.of(rows).distinct().sorted().toArray());
  }

  @Test
  void rejectsQueriesOfAnotherDimension() throws Exception {
    TestFiles.fvecs(folder.resolve("queries.fvecs"), new float[] {1, 2});
    assertRejected("has dimension 5", () -> load(ALL));
  }

  @Test
  void rejectsRowsOfDifferentDimensions() throws Exception {
    TestFiles.fvecs(folder.resolve("queries.fvecs"), QUERIES[0], new float[] {1, 2});
    assertRejected("row 1 has dimension 2, the rows before it 5", () -> load(ALL));
  }

  @Test
  void rejectsEmptyFile() throws Exception {
    TestFiles.fvecs(folder.resolve("queries.fvecs"));
    assertRejected("is empty", () -> load(ALL));
  }

  @Test
  void rejectsTruthOfAnotherNumberOfQueries() throws Exception {
    TestFiles.ivecs(folder.resolve("gt.ivecs"), new int[2][3]);
    assertRejected("has 2 rows for 7 queries", () -> load(ALL));
  }

  @Test
  void rejectsTruthThatNamesNoVector() throws Exception {
    int[][] rows = new int[QUERIES.length][3];
    rows[4][1] = 60;
    TestFiles.ivecs(folder.resolve("gt.ivecs"), rows);
    assertRejected("row 4 names vector 60; ids go from 0 to 59", () -> load(ALL));
  }

  @Test
  void rejectsDotProductOfVectorsThatAreNotUnitLength() throws Exception {
    Files.writeString(folder.resolve("stats.json"), "{\"metric\": \"dot\"}");
    assertRejected("metric dot needs unit vectors", () -> load(ALL));
  }

  @Test
  void rejectsCosineOfAZeroVector() throws Exception {
    Files.writeString(folder.resolve("stats.json"), "{\"metric\": \"cosine\"}");
    TestFiles.fvecs(folder.resolve("queries.fvecs"), QUERIES[0], new float[5]);
    assertRejected("row 1 is all zeros", () -> load(ALL));
  }

  @Test
  void rejectsUnknownMetric() throws Exception {
    Files.writeString(folder.resolve("stats.json"), "{\"metric\": \"taxi\"}");
    assertRejected("unknown metric 'taxi'; known: l2, dot, cosine, mip", () -> load(ALL));
  }

  @Test
  void rejectsFolderWithoutMetric() throws Exception {
    Files.delete(folder.resolve("stats.json"));
    assertRejected("--metric must be given", () -> load(ALL));
  }

  @Test
  void rejectsFolderWithoutVectors() throws Exception {
    Files.delete(folder.resolve("base.fvecs.gz"));
    assertRejected("holds no base vectors", () -> load(ALL));
  }

  private static void assertRejected(String part, Executable executable) {
    String message = assertThrows(BadInputException.class, executable).getMessage();
    assertTrue(message.contains(part), message);
  }

  private long cachedFiles() throws IOException {
    try (var files = Files.list(cache)) {
      return files.count();
    }
  }

  private Dataset load(Dataset.Selection selection) throws Exception {
    return Dataset.load(
        DatasetFiles.in(folder, Optional.empty()),
        selection,
        scratch,
        cache,
        Arena.ofAuto(),
        TestFiles.QUIET);
  }
}
