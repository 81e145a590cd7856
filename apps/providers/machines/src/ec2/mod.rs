//! Amazon's EC2, or what speaks its protocol.
//!
//! Ours are the instances with the tag `owner=morgana`; their names are in the tag `Name`. Others are neither listed nor touched.

mod told;

use std::env;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::config::retry::RetryConfig;
use aws_sdk_ec2::config::timeout::TimeoutConfig;
use aws_sdk_ec2::config::{BehaviorVersion, Region};
use aws_sdk_ec2::types::{Filter, Instance, InstanceType, ResourceType, Tag, TagSpecification};
use aws_smithy_http_client::tls::Provider as Tls;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use morgana_providers::{
    CONSOLE_BYTES, Cause, Ec2At, Error, Launch, Machine, MachineId, Provider, ProviderName, Stats,
    Unable,
};
use tokio::runtime::Runtime;

use told::cause;

/// How long a connection may take to come about.
const CONNECTING: Duration = Duration::from_secs(10);
/// How long a request may take, with all its tries.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long one try may take.
const TRY: Duration = Duration::from_secs(20);
/// Tries, where one fails that may be made again (a request to make an instance has a token, by which EC2 makes one of two).
const TRIES: u32 = 3;
/// Pages of a list: no more than 1,000 instances each.
const MOST_PAGES: usize = 100;
/// The longest user data, in bytes before they are encoded (EC2's own limit).
const LONGEST_USER_DATA: usize = 16 << 10;
/// The instance type if nothing is said: the smallest there is.
const KIND: &str = "t3.nano";
/// The tag of our instances.
const OWNER: (&str, &str) = ("owner", "morgana");

/// A region of EC2.
pub(crate) struct Ec2 {
    client: Client,
    runtime: Runtime,
}

impl Ec2 {
    /// Prepares requests to a region. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// Bad input if the environment has no credentials.
    pub(crate) fn open(at: &Ec2At) -> Result<Self, Error> {
        let wrong = |cause| Error::of(ProviderName::Ec2, cause);
        let credentials = credentials(|name| env::var(name).ok()).map_err(wrong)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| wrong(Cause::lost(&error.to_string())))?;
        let http = aws_smithy_http_client::Builder::new()
            .tls_provider(Tls::Rustls(CryptoMode::Ring))
            .build_https();
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECTING)
            .operation_timeout(PATIENCE)
            .operation_attempt_timeout(TRY)
            .build();
        let mut config = aws_sdk_ec2::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(at.region.clone()))
            .credentials_provider(credentials)
            .http_client(http)
            .timeout_config(timeouts)
            .retry_config(RetryConfig::standard().with_max_attempts(TRIES));
        if let Some(endpoint) = &at.endpoint {
            config = config.endpoint_url(endpoint);
        }
        Ok(Self {
            client: Client::from_conf(config.build()),
            runtime,
        })
    }

    /// Our instances that are not terminated; only this one, if it is said.
    fn instances(&self, only: Option<&MachineId>) -> Result<Vec<Instance>, Cause> {
        let filter = |name: &str, values: &[&str]| {
            let values = values.iter().map(|value| (*value).to_owned()).collect();
            Filter::builder()
                .name(name)
                .set_values(Some(values))
                .build()
        };
        let (owner, morgana) = OWNER;
        let mut request = self
            .client
            .describe_instances()
            .filters(filter(&format!("tag:{owner}"), &[morgana]))
            .filters(filter("instance-state-name", &told::THERE));
        if let Some(only) = only {
            // As a filter: an id that is none, or none of ours, finds nothing.
            request = request.filters(filter("instance-id", &[only.as_str()]));
        }
        let mut pages = request.into_paginator().send();
        self.runtime.block_on(async {
            let mut all = Vec::new();
            let mut count = 0;
            while let Some(page) = pages.next().await {
                let page = page.map_err(|error| cause(&error))?;
                for reservation in page.reservations() {
                    all.extend_from_slice(reservation.instances());
                }
                count += 1;
                if count == MOST_PAGES {
                    return Err(Cause::lost("the list of instances has no end"));
                }
            }
            Ok(all)
        })
    }

    /// An instance of ours.
    fn instance(&self, machine: &MachineId) -> Result<Instance, Error> {
        let found = self.instances(Some(machine));
        let found = found.and_then(|mut all| all.pop().ok_or(Cause::Unknown));
        found.map_err(about(machine))
    }

    fn run(&self, wanted: &Wanted) -> Result<Machine, Cause> {
        let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build();
        let tags = TagSpecification::builder()
            .resource_type(ResourceType::Instance)
            .tags(tag("Name", &wanted.name))
            .tags(tag(OWNER.0, OWNER.1))
            .build();
        let user_data = aws_smithy_types::base64::encode(&wanted.user_data);
        let request = self
            .client
            .run_instances()
            .image_id(&wanted.image)
            .instance_type(InstanceType::from(wanted.kind.as_str()))
            .min_count(1)
            .max_count(1)
            .tag_specifications(tags)
            .set_user_data((!user_data.is_empty()).then_some(user_data));
        let made = self.runtime.block_on(request.send());
        let made = made.map_err(|error| cause(&error))?;
        match made.instances() {
            [instance] => told::machine(instance),
            _ => Err(Cause::lost(
                "one instance was wanted, and another number is told of",
            )),
        }
    }
}

/// A function for `map_err`.
fn about(machine: &MachineId) -> impl Fn(Cause) -> Error + '_ {
    move |cause| Error::about(ProviderName::Ec2, machine.as_str(), cause)
}

/// Those of the environment, by the names that all of Amazon's tools use.
fn credentials(variable: impl Fn(&str) -> Option<String>) -> Result<Credentials, Cause> {
    let must = |name: &str| {
        let value = variable(name).filter(|value| !value.is_empty());
        value.ok_or_else(|| {
            let why = "EC2 wants AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment";
            Cause::Wrong(format!("{name} is not set: {why}"))
        })
    };
    Ok(Credentials::new(
        must("AWS_ACCESS_KEY_ID")?,
        must("AWS_SECRET_ACCESS_KEY")?,
        variable("AWS_SESSION_TOKEN").filter(|token| !token.is_empty()),
        None,
        "environment",
    ))
}

/// An instance that is to be made.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Wanted {
    name: String,
    image: String,
    kind: String,
    user_data: String,
}

impl Wanted {
    /// What a launch says. A configuration only gives name and command line: its kernel cannot run there.
    fn of(launch: &Launch) -> Result<Self, Error> {
        let wrong = |cause| Error::about(ProviderName::Ec2, launch.called(), cause);
        if launch.memory_mib.is_some() {
            return Err(wrong(Cause::Unable(Unable::Memory)));
        }
        let (name, user_data) = match &launch.configuration {
            Some(_) => {
                let config = launch.configured(ProviderName::Ec2)?;
                (config.name, config.extra)
            }
            None => {
                launch.check().map_err(|why| wrong(Cause::Wrong(why)))?;
                (launch.called().to_owned(), launch.extra.clone())
            }
        };
        let Some(image) = &launch.kept_image else {
            return Err(wrong(Cause::Wrong(
                "the id of an AMI is wanted: --image ID".to_owned(),
            )));
        };
        if name.is_empty() {
            return Err(wrong(Cause::Wrong("a name is wanted".to_owned())));
        }
        if user_data.len() > LONGEST_USER_DATA {
            let why = "a command line has at most 16 KiB there".to_owned();
            return Err(wrong(Cause::Wrong(why)));
        }
        Ok(Self {
            name,
            image: image.clone(),
            kind: launch.kind.clone().unwrap_or_else(|| KIND.to_owned()),
            user_data,
        })
    }
}

impl Provider for Ec2 {
    fn provider(&self) -> ProviderName {
        ProviderName::Ec2
    }

    fn create(&mut self, launch: &Launch) -> Result<Machine, Error> {
        let wanted = Wanted::of(launch)?;
        let wrong = |cause| Error::about(ProviderName::Ec2, &wanted.name, cause);
        // EC2 itself does not mind two of one name.
        let all = self.instances(None).map_err(wrong)?;
        if let Some(other) = all.iter().find(|other| told::name(other) == wanted.name) {
            let id = other.instance_id().unwrap_or_default();
            let why = format!("an instance of this name exists: {id}");
            return Err(wrong(Cause::refused(&why)));
        }
        self.run(&wanted).map_err(wrong)
    }

    fn list(&mut self) -> Result<Vec<Machine>, Error> {
        let all = self.instances(None);
        let machines = all.and_then(|all| all.iter().map(told::machine).collect());
        machines.map_err(|cause| Error::of(ProviderName::Ec2, cause))
    }

    fn stats(&mut self, machine: &MachineId) -> Result<Stats, Error> {
        told::stats(&self.instance(machine)?).map_err(about(machine))
    }

    fn pause(&mut self, machine: &MachineId) -> Result<(), Error> {
        Err(about(machine)(Cause::Unable(Unable::Pause)))
    }

    fn unpause(&mut self, machine: &MachineId) -> Result<(), Error> {
        Err(about(machine)(Cause::Unable(Unable::Pause)))
    }

    fn shutdown(&mut self, machine: &MachineId) -> Result<(), Error> {
        self.instance(machine)?;
        let request = self.client.stop_instances().instance_ids(machine.as_str());
        let done = self.runtime.block_on(request.send());
        done.map(drop)
            .map_err(|error| about(machine)(cause(&error)))
    }

    fn destroy(&mut self, machine: &MachineId) -> Result<(), Error> {
        let instance = told::machine(&self.instance(machine)?).map_err(about(machine))?;
        let request = self
            .client
            .terminate_instances()
            .instance_ids(instance.id.as_str());
        let done = self.runtime.block_on(request.send());
        done.map(drop)
            .map_err(|error| about(machine)(cause(&error)))
    }

    fn console(&mut self, machine: &MachineId) -> Result<Vec<u8>, Error> {
        self.instance(machine)?;
        let request = self
            .client
            .get_console_output()
            .instance_id(machine.as_str());
        let told = self.runtime.block_on(request.send());
        let told = told.map_err(|error| about(machine)(cause(&error)))?;
        let text = aws_smithy_types::base64::decode(told.output().unwrap_or_default());
        let mut text =
            text.map_err(|_| about(machine)(Cause::lost("the console's text is no base64")))?;
        let too_many = text.len().saturating_sub(CONSOLE_BYTES);
        text.drain(..too_many);
        Ok(text)
    }
}

#[cfg(test)]
mod tests;
