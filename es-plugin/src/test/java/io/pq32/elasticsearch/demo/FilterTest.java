package io.pq32.elasticsearch.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.pq32.elasticsearch.demo.Sample.Document;
import org.junit.jupiter.api.Test;

class FilterTest {
  private static final Filter FILTER = new Filter("all", 100);

  @Test
  void acceptsDocumentsThatMeetBothConditions() {
    assertTrue(FILTER.test(document("all", 99)));
  }

  @Test
  void boundIsExclusive() {
    assertFalse(FILTER.test(document("all", 100)));
  }

  @Test
  void rejectsAnotherArchitecture() {
    assertFalse(FILTER.test(document("amd64", 99)));
  }

  @Test
  void queryHasTheSameConditions() {
    assertEquals(
        "{\"bool\":{\"filter\":[{\"term\":{\"arch\":\"all\"}},"
            + "{\"range\":{\"installed_kb\":{\"lt\":100}}}]}}",
        FILTER.query().toString());
  }

  private static Document document(String arch, int kb) {
    return new Document(
        "1",
        JsonNodeFactory.instance.objectNode().put("arch", arch).put("installed_kb", kb),
        new float[] {1});
  }
}
