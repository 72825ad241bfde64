//! Starting the parts of a platform, one after the other.

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::{Context, Result};
use tokio::{process::Command, time::Instant};

use crate::host::{console, programs};
use crate::launcher::up::Up;
use crate::platform::environment::Wiring;
use crate::platform::order::Part;
use crate::platform::ready::Instance;
use crate::platform::{gateway, ready, replicas};
use crate::servers::folder::Folder;
use crate::servers::postgres::Lifetime;
use crate::servers::processes::Running;
use crate::servers::stage::Stage;
use crate::servers::state::Kept;
use crate::servers::{pair, redis, roles};
use crate::system::Service;

/// All that the parts of one platform are started with.
pub struct Start<'a> {
    pub options: &'a Up,
    pub folder: &'a Folder,
    pub running: &'a mut Running,
    pub kept: &'a mut Kept,
    pub binaries: BTreeMap<String, PathBuf>,
    pub wiring: &'a Wiring,
    pub gateway_port: Option<u16>,
    /// The processes of services that were started.
    pub instances: Vec<Instance>,
}

impl Start<'_> {
    /// Starts a part. A server answers when this returns; a service has only begun.
    pub async fn part(&mut self, part: Part) -> Result<()> {
        if let Part::Service(service) = part {
            return self.service(service);
        }
        // Otherwise it would be chance whether a service that was started before a server has ever missed it.
        ready::live(self.running, &self.instances).await?;
        let began = Instant::now();
        let name = if part == Part::Postgres { self.postgres().await? } else { self.redis().await? };
        console::tell(format_args!("{name} is ready after {}", console::seconds(began.elapsed())));
        Ok(())
    }

    async fn postgres(&mut self) -> Result<&'static str> {
        if self.options.postgres_url.is_none() {
            pair::start_postgres(self.running, self.folder, self.kept, Lifetime::Kept).await?;
        }
        roles::create(&programs::psql()?, &self.wiring.postgres, &self.wiring.secrets.roles).await?;
        Ok("Postgres")
    }

    async fn redis(&mut self) -> Result<&'static str> {
        match &self.options.redis_url {
            Some(url) => redis::reach(url).await?,
            None => drop(pair::start_redis(self.running, self.folder, self.kept, Lifetime::Kept).await?),
        }
        Ok("Redis")
    }

    fn service(&mut self, service: &'static Service) -> Result<()> {
        for replica in 0..self.options.replicas {
            let name = replicas::name(service, replica);
            let binary = self.binaries.get(service.package);
            let binary = binary.with_context(|| format!("cargo built no {}", service.package))?;
            let mut command = Command::new(binary);
            command.envs(self.wiring.environment(service, replica)?);
            command.envs(self.gateway_port.map(gateway::environment).into_iter().flatten());
            let own = self.options.set.iter().filter(|setting| setting.service == service.package);
            command.envs(own.map(|setting| (&setting.name, &setting.value)));
            let (log, url) = (self.folder.log(&name)?, service.url(self.wiring.port_base, replica));
            let started = Instant::now();
            self.running.start(Stage::Service, &name, command, &log)?;
            self.instances.push(Instance { name, url, log, started });
        }
        Ok(())
    }
}
