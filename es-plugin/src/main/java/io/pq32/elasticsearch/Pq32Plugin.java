package io.pq32.elasticsearch;

import java.util.Collection;
import java.util.List;
import java.util.Optional;
import org.elasticsearch.common.settings.Setting;
import org.elasticsearch.index.IndexSettingProvider;
import org.elasticsearch.index.IndexSettings;
import org.elasticsearch.index.IndexVersions;
import org.elasticsearch.index.engine.EngineConfig;
import org.elasticsearch.index.engine.EngineFactory;
import org.elasticsearch.index.engine.InternalEngine;
import org.elasticsearch.plugins.EnginePlugin;
import org.elasticsearch.plugins.Plugin;
import org.elasticsearch.snapshots.SearchableSnapshotsSettings;

/**
 * Puts {@link io.pq32.lucene.Pq32HnswVectorsFormat} under the {@code dense_vector} fields of the
 * indices that ask for it with {@code index.pq32.enabled}.
 *
 * <p>The engine stays Elasticsearch's own; it only gets a codec that answers differently for those
 * fields. Reading needs none of this: a segment names its format, and Lucene finds it by that name.
 */
public final class Pq32Plugin extends Plugin implements EnginePlugin {
  /** Registered by the cross-cluster replication plugin, which this one does not depend on. */
  private static final String FOLLOWING_INDEX = "index.xpack.ccr.following_index";

  /** For the server. */
  public Pq32Plugin() {}

  @Override
  public List<Setting<?>> getSettings() {
    return Pq32Settings.ALL;
  }

  @Override
  public Collection<IndexSettingProvider> getAdditionalIndexSettingProviders(
      IndexSettingProvider.Parameters parameters) {
    return List.of(new ListedFieldsCheck(parameters.mapperServiceFactory()));
  }

  @Override
  public Optional<EngineFactory> getEngineFactory(IndexSettings index) {
    if (!index.getValue(Pq32Settings.ENABLED) || needsEngineOfItsOwn(index)) {
      return Optional.empty();
    }
    Pq32Settings settings = Pq32Settings.of(index.getSettings());
    return Optional.of(
        config ->
            new InternalEngine(
                EngineConfig.builder(config)
                    .codecProvider(
                        new Pq32CodecProvider(
                            config.getCodecProvider(),
                            field -> config.getMapperService().fieldType(field),
                            new FieldFormatSelector(settings)))
                    .build()));
  }

  /**
   * Whether another part of Elasticsearch must provide the engine: an index has one factory, and a
   * second makes its creation fail. A follower's segments therefore get the stock format, a
   * searchable snapshot reads the segments it has.
   */
  private static boolean needsEngineOfItsOwn(IndexSettings index) {
    return index.getSettings().getAsBoolean(FOLLOWING_INDEX, false)
        || SearchableSnapshotsSettings.isSearchableSnapshotStore(index.getSettings())
        || index
            .getIndexMetadata()
            .getCompatibilityVersion()
            .before(IndexVersions.MINIMUM_COMPATIBLE);
  }
}
