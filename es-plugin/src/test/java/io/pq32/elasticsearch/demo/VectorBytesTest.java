package io.pq32.elasticsearch.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class VectorBytesTest {
  private static final String STATS =
      """
      {"dense_vector": {"value_count": 2, "off_heap": {
         "total_size_bytes": 160, "total_vec_size_bytes": 100, "total_veq_size_bytes": 30,
         "total_veb_size_bytes": 10, "total_vex_size_bytes": 20}},
       "segments": {"file_sizes": {
         "vec": {"size_in_bytes": 101}, "vemf": {"size_in_bytes": 1},
         "veq": {"size_in_bytes": 31}, "veb": {"size_in_bytes": 11},
         "vex": {"size_in_bytes": 21}, "vem": {"size_in_bytes": 2},
         "fdt": {"size_in_bytes": 1000}}}}
      """;

  @Test
  void addsUpTheNodesStatistics() throws IOException {
    VectorBytes bytes = VectorBytes.of(json(STATS), OptionalInt.empty());
    assertEquals(new VectorBytes(2, 100, 40, 0, 20, 167), bytes);
    assertEquals(60, bytes.hot());
    assertEquals(7, bytes.metadata());
  }

  @Test
  void tellsTheCodebookFromTheCodes() throws IOException {
    VectorBytes bytes = VectorBytes.of(json(STATS), OptionalInt.of(8));
    assertEquals(new VectorBytes(2, 100, 16, 24, 20, 167), bytes);
    assertEquals(60, bytes.hot());
    assertEquals(7, bytes.metadata());
  }

  @Test
  void fullVectorsAreHotWhenThereAreNoQuantizedOnes() {
    assertEquals(120, new VectorBytes(1, 100, 0, 0, 20, 130).hot());
  }

  @Test
  void saysWhichStatisticIsMissing() {
    assertEquals(
        "the node's statistics have no /dense_vector/off_heap",
        assertThrows(IOException.class, () -> VectorBytes.of(json("{}"), OptionalInt.empty()))
            .getMessage());
  }

  private static JsonNode json(String text) throws IOException {
    return new ObjectMapper().readTree(text);
  }
}
