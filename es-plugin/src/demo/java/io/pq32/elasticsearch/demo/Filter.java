package io.pq32.elasticsearch.demo;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pq32.elasticsearch.demo.Sample.Document;
import java.util.function.Predicate;

/**
 * Which documents may be found: the same condition for Elasticsearch and for the exact ranking.
 *
 * @param arch the architecture a package must have
 * @param belowKb what its installed size must stay below
 */
record Filter(String arch, int belowKb) implements Predicate<Document> {
  @Override
  public boolean test(Document document) {
    return document.fields().path("arch").asText().equals(arch)
        && document.fields().path("installed_kb").asLong() < belowKb;
  }

  /** The condition as a query. */
  ObjectNode query() {
    ObjectNode query = JsonNodeFactory.instance.objectNode();
    var conditions = query.putObject("bool").putArray("filter");
    conditions.addObject().putObject("term").put("arch", arch);
    conditions.addObject().putObject("range").putObject("installed_kb").put("lt", belowKb);
    return query;
  }

  @Override
  public String toString() {
    return "arch = " + arch + " and installed_kb < " + belowKb;
  }
}
