package io.pq32.lucene;

import java.util.HashMap;
import java.util.Map;
import java.util.WeakHashMap;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.FilterDirectory;

/**
 * The newest codebook of each field of each index this format writes, so that a flush need not
 * train again. Correctness never depends on it: every segment carries its own codebook.
 */
final class CodebookCache {
  private final Map<Directory, Map<String, Codebook>> newest = new WeakHashMap<>();

  /** The newest codebook of a field, or null. */
  synchronized Codebook get(Directory directory, String field) {
    Map<String, Codebook> fields = newest.get(FilterDirectory.unwrap(directory));
    return fields == null ? null : fields.get(field);
  }

  synchronized void put(Directory directory, String field, Codebook codebook) {
    newest
        .computeIfAbsent(FilterDirectory.unwrap(directory), _ -> new HashMap<>())
        .put(field, codebook);
  }
}
