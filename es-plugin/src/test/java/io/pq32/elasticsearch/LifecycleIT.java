package io.pq32.elasticsearch;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pq32.elasticsearch.node.ElasticsearchNode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(NodeExtension.class)
class LifecycleIT {
  @Test
  void restarts(ElasticsearchNode node) throws Exception {
    node.restart();
    assertEquals(200, node.request("GET", "/_cluster/health").status());
    node.kill9();
    node.start();
    System.out.println(node.request("GET", "/_nodes/plugins").body().toString().length());
    System.out.println(node.memoryMap().length());
  }
}
