package io.pq32.elasticsearch.demo;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pq32.elasticsearch.demo.Sample.Document;
import io.pq32.elasticsearch.demo.Sample.Query;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class SampleTest {
  @Test
  void decodesBytesToUnitVectors() throws IOException {
    List<float[]> vectors = read(2, 0, 0, 0, 131, 124, 1, 0, 0, 0, 0);
    assertEquals(2, vectors.size());
    assertArrayEquals(new float[] {0.6f, -0.8f}, vectors.get(0));
    assertArrayEquals(new float[] {-1f}, vectors.get(1));
  }

  @Test
  void readsNoVectorsFromAnEmptyFile() throws IOException {
    assertEquals(0, read().size());
  }

  @Test
  void rejectsTruncatedVector() {
    assertMessage("v: vector 1 ends after 1 of 2 components", 1, 0, 0, 0, 1, 2, 0, 0, 0, 1);
  }

  @Test
  void rejectsTruncatedDimension() {
    assertMessage("v: vector 0 has dimension 0, must be in 1 to 4096", 1, 0);
  }

  @Test
  void rejectsDimensionOutOfRange() {
    assertMessage("v: vector 0 has dimension 4097, must be in 1 to 4096", 1, 16, 0, 0);
    assertMessage("v: vector 0 has dimension -1, must be in 1 to 4096", 255, 255, 255, 255);
  }

  @Test
  void rejectsVectorWithoutDirection() {
    assertMessage("v: vector 0 is all zeros and has no direction", 2, 0, 0, 0, 128, 128);
  }

  @Test
  void shippedSampleIsWhole() throws IOException {
    Sample sample = Sample.load();
    assertEquals(4921, sample.documents().size());
    assertEquals(60, sample.queries().size());
    Set<String> ids =
        sample.documents().stream().map(Document::id).collect(Collectors.toUnmodifiableSet());
    assertEquals(4921, ids.size());
    for (Document document : sample.documents()) {
      assertUnit(document.vector());
      for (String field : List.of("title", "text", "section", "arch", "installed_kb")) {
        assertTrue(document.fields().has(field), () -> document.id() + " has no " + field);
      }
    }
    sample.queries().stream().map(Query::vector).forEach(SampleTest::assertUnit);
  }

  @Test
  void shippedVectorsFindTheTextTheyWereMadeFor() throws IOException {
    Sample sample = Sample.load();
    Query query =
        sample.queries().stream()
            .filter(q -> q.text().equals("scan storage media for bad or near failure sectors"))
            .findFirst()
            .orElseThrow();
    String best =
        ExactRanking.byVector(sample.documents(), query.vector(), document -> true).get(0).id();
    assertEquals(
        "diskscan",
        sample.documents().stream()
            .filter(document -> document.id().equals(best))
            .findFirst()
            .orElseThrow()
            .title());
  }

  private static void assertUnit(float[] vector) {
    assertEquals(768, vector.length);
    double squares = 0;
    for (float value : vector) {
      squares += (double) value * value;
    }
    assertEquals(1, squares, 1e-5);
  }

  private static void assertMessage(String message, int... bytes) {
    assertEquals(message, assertThrows(IOException.class, () -> read(bytes)).getMessage());
  }

  private static List<float[]> read(int... bytes) throws IOException {
    byte[] content = new byte[bytes.length];
    for (int i = 0; i < bytes.length; i++) {
      content[i] = (byte) bytes[i];
    }
    return Sample.readVectors(new ByteArrayInputStream(content), "v");
  }
}
