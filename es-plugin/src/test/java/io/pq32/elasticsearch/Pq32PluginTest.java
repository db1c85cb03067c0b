package io.pq32.elasticsearch;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.HashSet;
import java.util.Set;
import org.elasticsearch.cluster.metadata.IndexMetadata;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.IndexScopedSettings;
import org.elasticsearch.common.settings.Setting;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.index.IndexSettings;
import org.elasticsearch.index.IndexVersion;
import org.elasticsearch.index.IndexVersions;
import org.junit.jupiter.api.Test;

class Pq32PluginTest {
  static {
    // The server's classes ask for their logger as they are loaded.
    LogConfigurator.configureESLogging();
  }

  private final Pq32Plugin plugin = new Pq32Plugin();

  @Test
  void providesTheEngineOnlyOfAnIndexThatAsksForIt() {
    assertProvides(false, Settings.EMPTY);
    assertProvides(true, enabled().build());
  }

  @Test
  void yieldsForFollowersOfCrossClusterReplication() {
    assertProvides(false, enabled().put("index.xpack.ccr.following_index", true).build());
  }

  @Test
  void yieldsForSearchableSnapshots() {
    assertProvides(false, enabled().put("index.store.type", "snapshot").build());
  }

  @Test
  void yieldsForIndicesTooOldToWrite() {
    IndexVersion tooOld = IndexVersions.MINIMUM_READONLY_COMPATIBLE;
    assertProvides(false, enabled().put(IndexMetadata.SETTING_VERSION_CREATED, tooOld).build());
  }

  private static Settings.Builder enabled() {
    return Settings.builder().put("index.pq32.enabled", true);
  }

  private void assertProvides(boolean expected, Settings settings) {
    Settings complete =
        Settings.builder()
            .put(IndexMetadata.SETTING_VERSION_CREATED, IndexVersion.current())
            .put(IndexMetadata.SETTING_INDEX_UUID, "uuid")
            .put(IndexMetadata.SETTING_NUMBER_OF_SHARDS, 1)
            .put(IndexMetadata.SETTING_NUMBER_OF_REPLICAS, 0)
            .put(settings)
            .build();
    Set<Setting<?>> registered = new HashSet<>(IndexScopedSettings.BUILT_IN_INDEX_SETTINGS);
    registered.addAll(plugin.getSettings());
    IndexSettings index =
        new IndexSettings(
            IndexMetadata.builder("index").settings(complete).build(),
            Settings.EMPTY,
            new IndexScopedSettings(Settings.EMPTY, registered));

    assertEquals(expected, plugin.getEngineFactory(index).isPresent());
  }
}
