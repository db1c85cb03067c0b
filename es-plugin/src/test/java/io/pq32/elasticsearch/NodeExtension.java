package io.pq32.elasticsearch;

import io.pq32.elasticsearch.node.ElasticsearchNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/** Hands one running {@link ElasticsearchNode} to all integration tests, closed after the last. */
final class NodeExtension implements ParameterResolver {
  private static final String HEAP = "512m";

  /**
   * Time limits of searches are looked up on a clock that ticks every 200 ms unless it is told to
   * be exact: tests that want searches cut by their limit would wait for a tick at the right time.
   */
  private static final Map<String, String> SETTINGS =
      Map.of("thread_pool.estimated_time_interval", "0");

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    return parameter.getParameter().getType() == ElasticsearchNode.class;
  }

  @Override
  public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
    return context
        .getRoot()
        .getStore(Namespace.GLOBAL)
        .getOrComputeIfAbsent(ElasticsearchNode.class, _ -> start(), ElasticsearchNode.class);
  }

  /** A node with the plugin, not started. */
  static ElasticsearchNode install() throws IOException {
    return ElasticsearchNode.install(
        path("pq32.distribution"), path("pq32.plugin.zip"), HEAP, SETTINGS, System.out::println);
  }

  private static ElasticsearchNode start() {
    try {
      ElasticsearchNode node = install();
      try {
        node.start();
        return node;
      } catch (IOException | RuntimeException e) {
        node.close();
        throw e;
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Path path(String property) {
    String value = System.getProperty(property);
    if (value == null) {
      throw new IllegalStateException(
          "system property " + property + " is not set: run through mvn verify");
    }
    return Path.of(value);
  }
}
