package io.pq32.elasticsearch.node;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * What the node answered to one request.
 *
 * @param status HTTP status
 * @param body parsed JSON; a text node when the answer is not JSON
 */
public record Response(int status, JsonNode body) {

  /** Whether the request was carried out. */
  public boolean ok() {
    return status < 300;
  }

  /**
   * The reasons of the error, outermost first, and those at the root of a failed shard's, on one
   * line; empty without an error.
   */
  public String reasons() {
    StringBuilder reasons = new StringBuilder();
    for (JsonNode at = body.path("error"); at.isObject(); at = at.path("caused_by")) {
      reasons.append(reasons.isEmpty() ? "" : "; ").append(at.path("reason").asText());
    }
    for (JsonNode root : body.at("/error/root_cause")) {
      reasons.append("; ").append(root.path("reason").asText());
    }
    return reasons.toString();
  }
}
