package io.pq32.benchmarks;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RowReaderTest {
  private static final float[][] FLOATS = {{1.5f, -2f, 0f}, {Float.MIN_VALUE, 3e38f, -0.25f}};

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"a.fvecs", "a.fvecs.gz"})
  void readsFloats(String name) throws IOException {
    Path file = TestFiles.fvecs(folder.resolve(name), FLOATS);
    assertArrayEquals(FLOATS, vectors(file).toArray());
  }

  @ParameterizedTest
  @ValueSource(strings = {"a.bvecs", "a.bvecs.gz"})
  void readsBytesAsUnsignedFloats(String name) throws IOException {
    Path file = TestFiles.bvecs(folder.resolve(name), new int[] {0, 127, 128, 255});
    assertArrayEquals(new float[] {0, 127, 128, 255}, vectors(file).getFirst());
  }

  @Test
  void decodesUnitBytesAroundTheirCenter() throws IOException {
    Path file = TestFiles.bvecs(folder.resolve("a.u8.bvecs.gz"), new int[] {131, 124, 128});
    assertArrayEquals(new float[] {3 / 5f, -4 / 5f, 0}, vectors(file).getFirst());
  }

  @Test
  void readsIdsOfRowsOfAnyLength() throws IOException {
    int[][] ids = {{3, 1, 2}, {7}};
    Path file = TestFiles.ivecs(folder.resolve("a.ivecs.gz"), ids);
    try (RowReader reader = new RowReader(file, TestFiles.QUIET)) {
      for (int[] row : ids) {
        assertTrue(reader.next());
        assertArrayEquals(row, reader.ids());
      }
      assertFalse(reader.next());
    }
  }

  @Test
  void rejectsRowThatIsCutShort() throws IOException {
    Path file = TestFiles.fvecs(folder.resolve("a.fvecs"), FLOATS);
    truncate(file, 5);
    assertMessage("row 1 is cut short: 12 bytes expected, 7 found", file);
  }

  @Test
  void rejectsRowLengthThatIsCutShort() throws IOException {
    Path file = TestFiles.fvecs(folder.resolve("a.fvecs"), FLOATS);
    truncate(file, 14);
    assertMessage("row 1 is cut short: 4 bytes expected, 2 found", file);
  }

  @Test
  void rejectsGzipStreamThatIsCutShort() throws IOException {
    Path file = TestFiles.fvecs(folder.resolve("a.fvecs.gz"), TestFiles.vectors(100, 16, 1));
    truncate(file, 1000);
    assertMessage("gzip stream is cut short", file);
  }

  @Test
  void rejectsWhatIsNoGzipFile() throws IOException {
    Path file = Files.writeString(folder.resolve("a.fvecs.gz"), "plain text");
    assertMessage("not a gzip file", file);
  }

  @Test
  void rejectsRowLengthOutOfRange() throws IOException {
    Path file = folder.resolve("a.fvecs");
    Files.write(file, new byte[] {-1, -1, -1, -1});
    assertMessage("row 0 has length -1; must be between 1 and 65536", file);
  }

  @Test
  void rejectsValueThatIsNotFinite() throws IOException {
    Path file = TestFiles.fvecs(folder.resolve("a.fvecs"), FLOATS[0], new float[] {0, Float.NaN});
    assertMessage("row 1 has the value NaN", file);
  }

  @Test
  void rejectsUnitBytesWithoutDirection() throws IOException {
    Path file = TestFiles.bvecs(folder.resolve("a.u8.bvecs"), new int[] {128, 128});
    assertMessage("row 0 has the value NaN", file);
  }

  @Test
  void rejectsUnknownKindOfFile() throws IOException {
    assertMessage("unknown kind of file", Files.createFile(folder.resolve("a.hdf5")));
  }

  @Test
  void rejectsMissingFile() {
    assertMessage("no such file", folder.resolve("a.fvecs"));
  }

  @Test
  void rejectsIdsWhereVectorsAreExpected() throws IOException {
    assertMessage("holds ids", TestFiles.ivecs(folder.resolve("a.ivecs"), new int[] {1}));
  }

  private static void truncate(Path file, int bytes) throws IOException {
    byte[] content = Files.readAllBytes(file);
    Files.write(file, Arrays.copyOf(content, content.length - bytes));
  }

  private static void assertMessage(String part, Path file) {
    String message = assertThrows(BadInputException.class, () -> vectors(file)).getMessage();
    assertTrue(message.contains(part), message);
    assertEquals(0, message.indexOf(file.toString()), message);
  }

  private static List<float[]> vectors(Path file) throws IOException {
    List<float[]> vectors = new ArrayList<>();
    try (RowReader reader = new RowReader(file, TestFiles.QUIET)) {
      while (reader.next()) {
        vectors.add(reader.vector());
      }
    }
    return vectors;
  }
}
