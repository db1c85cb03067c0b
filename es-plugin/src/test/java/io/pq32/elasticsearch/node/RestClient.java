package io.pq32.elasticsearch.node;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.TextNode;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;

/** JSON over HTTP to one node. */
final class RestClient implements AutoCloseable {
  private static final JsonMapper JSON = new JsonMapper();

  /** A force merge answers when it is done: ten minutes is a node in trouble, not a slow one. */
  private static final Duration TIMEOUT = Duration.ofMinutes(10);

  private final URI node;
  private final HttpClient http = HttpClient.newHttpClient();

  RestClient(URI node) {
    this.node = node;
  }

  URI node() {
    return node;
  }

  /** One request; {@code json} is null when there is no body. */
  Response request(String method, String path, String json) throws IOException {
    HttpRequest request =
        HttpRequest.newBuilder(node.resolve(path))
            .timeout(TIMEOUT)
            .header("Content-Type", "application/json")
            .method(
                method,
                json == null
                    ? HttpRequest.BodyPublishers.noBody()
                    : HttpRequest.BodyPublishers.ofString(json))
            .build();
    try {
      HttpResponse<String> response = http.send(request, HttpResponse.BodyHandlers.ofString());
      return new Response(response.statusCode(), parse(response.body()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException(method + " " + path);
    }
  }

  private static JsonNode parse(String body) {
    try {
      return JSON.readTree(body);
    } catch (JsonProcessingException _) {
      return TextNode.valueOf(body);
    }
  }

  @Override
  public void close() {
    http.shutdownNow();
  }
}
